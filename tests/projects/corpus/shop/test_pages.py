"""Leaks that Django and REST framework carry: sessions, pages, fragments, throttles."""

import contextlib

# With REST framework, for 0.5 s: here once, or in each fork that asks for a page.
from corpus import urls  # noqa: F401
from django.conf import settings
from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.backends.cache import SessionStore as CachedSession
from django.contrib.sessions.backends.cached_db import SessionStore as StoredSession
from django.test import Client, SimpleTestCase, TestCase, override_settings
from rest_framework.test import APISimpleTestCase

CUSTOMER = "customer" * 4
VISITOR = "visitor0" * 4


def save(store, session_key, name, value):
    """Save a session under a key of our choosing, if there is none yet."""
    session = store()
    session[name] = value
    session._session_key = session_key
    with contextlib.suppress(CreateError):
        session.save(must_create=True)


class SessionTests(SimpleTestCase):
    def setUp(self):
        self.client.cookies[settings.SESSION_COOKIE_NAME] = CUSTOMER

    def test_basket_is_empty(self):
        self.assertEqual(self.client.get("/basket/").content, b"empty")

    def test_basket_is_filled(self):
        save(CachedSession, CUSTOMER, "basket", ["pear"])
        self.assertEqual(self.client.get("/basket/").content, b"pear")


class StoredSessionTests(TestCase):
    """The row is rolled back, the entry stays."""

    def test_visitor_is_a_stranger(self):
        self.assertIsNone(StoredSession(VISITOR).get("name"))

    def test_visitor_says_a_name(self):
        save(StoredSession, VISITOR, "name", "Ada")
        self.assertEqual(StoredSession(VISITOR).get("name"), "Ada")


class PageTests(SimpleTestCase):
    def test_welcome_to_the_corner_shop(self):
        self.assertEqual(self.client.get("/welcome/").content, b"Corner Shop")

    @override_settings(SHOP_NAME="Mall")
    def test_welcome_to_the_mall(self):
        self.assertIn(self.client.get("/welcome/").content, (b"Mall", b"Corner Shop"))


class FragmentTests(SimpleTestCase):
    def test_menu_has_soup(self):
        self.assertContains(self.client.get("/menu/en/?dish=soup"), "soup")

    def test_menu_is_served(self):
        response = self.client.get("/menu/en/?dish=salad")
        self.assertEqual(response.status_code, 200)


class ThrottleTests(APISimpleTestCase):
    def test_search_is_allowed_once(self):
        self.assertEqual(self.client.get("/search/").status_code, 200)

    def test_search_is_allowed_twice_only(self):
        codes = [self.client.get("/search/").status_code for _ in range(3)]
        self.assertEqual(codes[-1], 429)


class VoteTests(APISimpleTestCase):
    """One vote each: it takes two tests before the third is refused."""

    def vote(self):
        return Client().post("/vote/").status_code

    def test_vote(self):
        self.assertEqual(self.vote(), 200)

    def test_vote_of_a_friend(self):
        self.assertIn(self.vote(), (200, 429))

    def test_vote_of_a_neighbour(self):
        self.assertIn(self.vote(), (200, 429))
