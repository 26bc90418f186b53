"""Of several entries that two tests have in common, the one that decides is named."""

from tests.audits import audited
from tests.commands import copied

MEETING = """\
from django.core.cache import cache
from django.test import SimpleTestCase


class MeetingTests(SimpleTestCase):
    def test_a_counts_hits_at_a_rate(self):
        cache.set("aaa:hits", 1)
        cache.set("rate:now", 5)

    def test_b_expects_the_usual_rate(self):
        cache.get("aaa:hits")
        self.assertEqual(cache.get("rate:now", 1), 1)
"""
TOGETHER = """\
from django.core.cache import cache
from django.test import SimpleTestCase


class TogetherTests(SimpleTestCase):
    def test_a_leaves_three(self):
        cache.set_many({"aaa:hits": 1, "user": "ann", "role": "admin"})

    def test_b_needs_two_to_fail(self):
        found = cache.get_many(["aaa:hits", "user", "role"])
        self.assertFalse("user" in found and "role" in found)
"""
REMEMBERING = """\
import functools
from django.conf import settings
from django.test import SimpleTestCase, override_settings


@functools.lru_cache
def greeting():
    return "Hello"


@functools.lru_cache
def shop_name():
    return settings.SHOP_NAME


class RememberingTests(SimpleTestCase):
    @override_settings(SHOP_NAME="Mall")
    def test_a_in_a_mall(self):
        greeting(), shop_name()

    def test_b_at_the_corner(self):
        greeting()
        self.assertEqual(shop_name(), "Corner Shop")
"""
CHANGING = """\
from django.core.cache import cache
from django.test import SimpleTestCase


class ChangingTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cache.set_many({"aaa:motd": "Welcome", "rate:now": 1})

    def test_a_raises_the_rate(self):
        cache.set("aaa:motd", "Hurry")
        cache.delete("rate:now")

    def test_b_expects_the_rate(self):
        cache.get("aaa:motd")
        self.assertEqual(cache.get("rate:now"), 1)
"""


def audit_of(corpus, runner, source, *options):
    (corpus.folder / "shop" / "test_meeting.py").write_text(source)
    label = {"django": "shop.test_meeting", "pytest": "shop/test_meeting.py"}
    return audited(corpus, "--runner", runner, label[runner], *options)


def test_the_entry_that_decides_is_named_and_no_other(corpus):
    names_the_entry_that_decides(corpus, "django")


def names_the_entry_that_decides(corpus, runner):
    """Audit tests that have two entries in common, of which one decides."""
    audit = audit_of(corpus, runner, MEETING)
    [finding] = audit.report["findings"]
    assert finding["state"]["key"] == "rate:now"
    assert "'rate:now' in cache 'default'" in audit.card("Leak 1 of 1")
    assert "aaa:hits" not in audit.card("Leak 1 of 1")
    results = {each["key"]: each["result"] for each in audit.report["conflicts"]}
    assert results == {"rate:now": "carried", "aaa:hits": "harmless"}


def test_the_entry_that_decides_is_named_by_its_hash(corpus):
    audit = audit_of(corpus, "django", MEETING, "--hash-keys")
    [finding] = audit.report["findings"]
    found = {each["key"]: each for each in audit.report["conflicts"]}
    # The line of cache.set("rate:now", 5).
    assert finding["state"]["written_at"].endswith(":8")
    assert len(found[finding["state"]["key"]]["left_by"]) == 1


def test_entries_that_are_needed_together_are_all_named(corpus):
    audit = audit_of(corpus, "django", TOGETHER)
    [finding] = audit.report["findings"]
    names = {finding["state"]["key"]}
    names |= {each["key"] for each in finding["state"]["together"]}
    assert names == {"user", "role"}
    card = audit.card("Leak 1 of 1")
    assert "'user' in cache 'default' together with 'role' in cache 'default'" in card


def test_of_functions_too_the_one_that_decides_is_named(corpus):
    audit = audit_of(corpus, "django", REMEMBERING)
    [finding] = audit.report["findings"]
    assert finding["state"]["function"] == "shop.test_meeting.shop_name"


def test_what_a_set_up_had_stored_is_put_back_for_the_experiment(corpus):
    audit = audit_of(corpus, "pytest", CHANGING)
    [finding] = audit.report["findings"]
    assert (finding["state"]["key"], finding["state"]["how"]) == ("rate:now", "deleted")


def test_stress_names_the_entry_that_decides(tmp_path):
    small = copied("small", tmp_path)
    (small.folder / "cases" / "test_meeting.py").write_text(MEETING)
    done = small.stress(
        *("--runner", "django", "--cache", "shared", "--orders", "0", "--split", "0"),
        "cases.test_meeting",
    )
    assert done.code == 1, done.out + done.err
    [finding] = small.report()["findings"]
    assert finding["state"]["key"] == "rate:now"
