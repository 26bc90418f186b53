"""State that is named with `state=`: put back at every scope's end, as caches are."""

import pytest

from tests.kinds import METHODS

SHOP = """
    rates = {"EUR": 1}
    seen = []
    limit = 5

    class Card:
        limit = 5

    def open_till():
        global till
        till = "open"
"""
TESTS = """
    import os
    import unittest
    from django.conf import settings
    from django.test import SimpleTestCase
    import shop

    class _Tests:
        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            shop.rates["GBP"] = 2

        @classmethod
        def tearDownClass(cls):
            # What a test of this class did is gone, what the class did is not yet.
            assert shop.rates == {"EUR": 1, "GBP": 2}, shop.rates
            super().tearDownClass()

        def check(self):
            assert shop.rates == {"EUR": 1, "GBP": 2}, shop.rates
            assert shop.seen == [], shop.seen
            assert shop.limit == shop.Card.limit == 5, (shop.limit, shop.Card.limit)
            assert "REGION" not in os.environ
            assert not hasattr(settings, "REGION")
            assert not hasattr(shop, "till")
            shop.rates["USD"] = 2
            shop.rates.pop("EUR")
            shop.seen.append(1)
            shop.limit = shop.Card.limit = 6
            os.environ["REGION"] = settings.REGION = "north"
            shop.open_till()

        def test_a(self):
            self.check()

        def test_b(self):
            self.check()

    class ATests(_Tests, SimpleTestCase):
        pass

    class BTests(_Tests, unittest.TestCase):
        pass
"""
NAMES = [
    "shop.rates",
    "shop.seen",
    "shop.limit",
    "shop.Card.limit",
    "os.environ['REGION']",
    "settings",
    "shop.till",
]
SETTINGS = """
    from ci_cache_isolation.settings import isolate
    CACHES = isolate(
        {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        state=%r,
    )
"""
STARTING = """
    import multiprocessing
    if multiprocessing.parent_process() is None:
        multiprocessing.set_start_method(%r, force=True)
"""


@pytest.fixture
def shop(project):
    project.write("shop", SHOP)
    project.write("test_shop", TESTS)
    project.write("settings", SETTINGS % None)
    return project


def test_each_test_finds_it_as_its_class_has_set_it_up(shop):
    shop.write("settings", SETTINGS % NAMES)
    done = shop.manage("test")
    assert done.returncode == 0, done.stderr
    shop.write("settings", SETTINGS % [])
    done = shop.manage("test")
    assert done.returncode == 1, done.stderr


@pytest.mark.parametrize("more", [(), ("-n", "2")])
def test_the_same_under_pytest(shop, more):
    names = "\n".join(NAMES)
    done = shop.pytest("-o", f"cache_isolation_state={names}", *more)
    assert done.returncode == 0, done.stdout
    done = shop.pytest(*more)
    assert done.returncode == 1, done.stdout


@pytest.mark.parametrize("method", METHODS)
def test_the_environment_names_it_too_also_for_workers(shop, method):
    shop.write("settings", SETTINGS % None + STARTING % method)
    names = ",".join(NAMES)
    done = shop.manage("test", "--parallel", "2", CI_CACHE_ISOLATION_STATE=names)
    assert done.returncode == 0, done.stderr
    done = shop.manage("test", "--parallel", "2")
    assert done.returncode == 1, done.stderr


def test_a_wider_fixture_in_the_middle_of_a_test_keeps_what_it_did(shop):
    shop.write(
        "test_fixture",
        """
        import pytest
        import shop

        @pytest.fixture(scope="module")
        def pound():
            shop.rates["GBP"] = 2

        def test_a():
            shop.rates["USD"] = 2

        def test_b(pound):
            assert shop.rates == {"EUR": 1, "GBP": 2}
            shop.rates["USD"] = 2

        def test_c(pound):
            assert shop.rates == {"EUR": 1, "GBP": 2}
        """,
    )
    done = shop.pytest("-o", "cache_isolation_state=shop.rates", "test_fixture.py")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("shop.rate", "shop has no 'rate'. The nearest is shop.rates."),
        ("shops.rates", "no module 'shops' can be imported"),
        ("shop.rates.", "'shop.rates.' is no name of a place in a process"),
    ],
)
def test_a_wrong_name_ends_the_run_and_says_what_is_nearest(shop, name, error):
    done = shop.manage("test", CI_CACHE_ISOLATION_STATE=name)
    assert done.returncode == 1
    assert (
        f"ci-cache-isolation: environment CI_CACHE_ISOLATION_STATE names {name}, and "
        f"{error}"
    ) in done.stderr
    assert "Traceback" not in done.stderr
    done = shop.pytest("-o", f"cache_isolation_state={name}")
    assert done.returncode == 4
    assert error in done.stderr


def test_what_is_no_list_of_names_is_refused(shop):
    shop.write("settings", SETTINGS % 7)
    done = shop.manage("test")
    assert done.returncode == 1
    assert "isolate(state=...) is 7, which is no list of names." in done.stderr
    assert "Traceback" not in done.stderr


def test_an_isolated_block_puts_it_back_too(shop):
    shop.write(
        "test_more",
        """
        import shop
        from ci_cache_isolation import isolated
        from django.test import SimpleTestCase

        class Tests(SimpleTestCase):
            def test_block(self):
                shop.rates["USD"] = 2
                with isolated():
                    shop.rates["USD"] = 3
                    shop.seen.append(1)
                assert shop.rates == {"EUR": 1, "USD": 2}
                assert shop.seen == []
        """,
    )
    done = shop.manage(
        "test", "test_more", CI_CACHE_ISOLATION_STATE="shop.rates,shop.seen"
    )
    assert done.returncode == 0, done.stderr


def test_a_name_that_another_test_deletes_comes_back(shop):
    shop.write(
        "test_more",
        """
        import shop
        from django.test import SimpleTestCase

        class Tests(SimpleTestCase):
            def test_a(self):
                del shop.rates

            def test_b(self):
                assert shop.rates == {"EUR": 1}
                del shop.Card
                shop.rates = None

            def test_c(self):
                assert shop.rates == {"EUR": 1}
                assert shop.Card.limit == 5
        """,
    )
    named = "shop.rates,shop.Card,shop.Card.limit"
    done = shop.manage("test", "test_more", CI_CACHE_ISOLATION_STATE=named)
    assert done.returncode == 0, done.stderr


def test_doctor_shows_what_is_named_and_by_whom(shop):
    shop.write("settings", SETTINGS % ["shop.rates"])
    done = shop.run(
        "-m", "ci_cache_isolation", "doctor", CI_CACHE_ISOLATION_STATE="shop.seen"
    )
    assert "state: shop.seen (environment CI_CACHE_ISOLATION_STATE)" in done.stdout
    assert "state: shop.rates (isolate(state=...))" in done.stdout
