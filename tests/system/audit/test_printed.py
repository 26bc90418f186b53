"""What ``cache-isolation audit`` prints and reports of one suite with many leaks."""

import re

import pytest

from tests.audits import audit, audited
from tests.commands import copied

pytestmark = pytest.mark.xdist_group("audit-printed")

CLEANED = """\
from django.core.cache import cache
from django.test import SimpleTestCase


class CleanedTests(SimpleTestCase):
    def test_pollutes(self):
        cache.set("key", 1)

    def test_clears(self):
        cache.clear()

    def test_deletes(self):
        cache.delete_many(["key", "other"])

    def test_overwrites_and_deletes(self):
        cache.set("key", 2)
        cache.delete("key")

    def test_overwrites_in_vain(self):
        cache.set("key", 3)

    def test_only_looks(self):
        cache.get_or_set("key", 4)

    def test_is_the_victim(self):
        self.assertIsNone(cache.get("key"))
"""

EXPIRING = """\
from django.core.cache import cache
from django.test import SimpleTestCase


class ExpiringTests(SimpleTestCase):
    def test_a(self):
        cache.set("soon", 1, timeout=20)
        cache.set("later", 1, timeout=3600)
        cache.set("never", 1, timeout=None)

    def test_b(self):
        self.assertIsNone(cache.get("soon"))

    def test_c(self):
        self.assertIsNone(cache.get("later"))

    def test_d(self):
        cache.get("never")
"""

MANY_KEYS = """\
from django.core.cache import cache
from django.test import SimpleTestCase


def visit(user):
    return cache.get_or_set(f"user:{user}:visits", 1)


class VisitTests(SimpleTestCase):
    def test_a(self):
        for user in range(3):
            visit(user)

    def test_b(self):
        visit(3)
        cache.set("else", 1)

    def test_seen_0(self):
        assert "user:0:visits" not in cache

    def test_seen_1(self):
        assert "user:1:visits" not in cache

    def test_seen_3(self):
        assert "user:3:visits" not in cache
"""

HOSTILE = """\
from django.core.cache import cache
from django.test import SimpleTestCase

KEYS = ["<script>alert(1)</script>", "two\\nlines", "\\x1b[31mred", "x" * 10_000]


class HostileTests(SimpleTestCase):
    def test_a(self):
        for key in KEYS:
            cache.set(key, 1)
        cache.set(b"bytes", 1)

    def test_b(self):
        for key in [*KEYS, b"bytes"]:
            assert cache.get(key) is None
"""

SECRET_VALUES = """\
from django.core.cache import cache
from django.test import SimpleTestCase


class SecretTests(SimpleTestCase):
    def test_a(self):
        cache.set('secret', 'sesame')
        cache.set_many({'many secrets': 'sesame'})
        cache.add('added secret', 'sesame')

    def test_b(self):
        self.assertEqual(cache.get('secret', 'sesame'), 'sesame')
        assert cache.get('many secrets') is None
"""

MODULES = {
    "cleaned": CLEANED,
    "expiring": EXPIRING,
    "hostile": HOSTILE,
    "secret": SECRET_VALUES,
    "visits": MANY_KEYS,
}


@pytest.fixture(scope="module")
def audit_of_all(tmp_path_factory):
    """Audit all modules at once. No key is in two of them."""
    project = copied("corpus", tmp_path_factory.mktemp("printed"))
    for name, source in MODULES.items():
        (project.folder / "shop" / f"test_{name}.py").write_text(source)
    labels = [f"shop.test_{name}" for name in MODULES]
    return audited(project, "--runner", "django", *labels)


def test_who_hides_a_leak_is_named(audit_of_all):
    findings = audit_of_all.findings("test_cleaned")
    [finding] = [each for each in findings if each["test"].endswith("victim")]
    assert {name.rpartition(".test_")[2] for name in finding["cleaners"]} == {
        "clears",
        "deletes",
        "overwrites_and_deletes",
    }
    card = audit_of_all.card("CleanedTests.test_is_the_victim:")
    for name in finding["cleaners"]:
        assert f"  hidden when {name} runs between\n" in card


def test_what_expires_soon_is_marked(audit_of_all):
    left = {
        each["key"]: each["left_by"][0]["expires_in"]
        for each in audit_of_all.conflicts("test_expiring")
    }
    assert (left["later"], left["never"]) == (None, None)
    assert 10 < left["soon"] <= 20
    soon, later = map(audit_of_all.card, (": 'soon' ", ": 'later' "))
    assert re.search(r"'soon' .*\n(?:.*\n)+ +expires [12]\S* s after that", soon)
    assert "expires" not in later


def test_keys_that_differ_by_a_number_are_one_card(audit_of_all):
    card = audit_of_all.card("'user:<n>:visits' (3 keys) in cache 'default'")
    assert card.count("  stored at shop/test_visits.py:6") == 1
    title = "victim, passes alone and fails after others"
    victims = re.findall(rf"^  shop\S+\.(\w+): {title}\n    (.+)$", card, re.MULTILINE)
    after = "fails after shop.test_visits.VisitTests"
    assert victims == [
        ("test_seen_0", f"{after}.test_a"),
        ("test_seen_1", f"{after}.test_a"),
        ("test_seen_3", f"{after}.test_b"),
    ]
    conflicts = audit_of_all.conflicts("test_visits")
    assert {each["pattern"] for each in conflicts} == {"user:<n>:visits"}
    assert {each["key"] for each in conflicts} == {
        f"user:{n}:visits" for n in (0, 1, 3)
    }


def test_unconfirmed_keys_that_differ_by_a_number_are_one_line(corpus):
    (corpus.folder / "shop" / "test_visits.py").write_text(MANY_KEYS)
    done = audit(corpus, "--no-confirm", "--runner", "django", "shop.test_visits")
    assert re.findall(".*in cache.*", done.out) == [
        "  'user:<n>:visits' (3 keys) in cache 'default'"
    ]


def test_hostile_keys_harm_neither_terminal_nor_report(audit_of_all):
    assert audit_of_all.findings("test_hostile")
    assert "\x1b" not in audit_of_all.out
    keys = {conflict["key"] for conflict in audit_of_all.conflicts("test_hostile")}
    assert len(keys) == 5
    assert max(map(len, keys)) < 300
    assert "two\nlines" in keys


def test_no_value_of_any_entry_is_written_anywhere(audit_of_all):
    assert audit_of_all.findings("test_secret")
    folder = audit_of_all.project.folder / ".cache-isolation"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 2
    printed = [path for path in files if path.suffix == ".log"]
    for path in set(files) - set(printed):
        assert b"sesame" not in path.read_bytes(), path


def test_leaks_are_numbered_one_for_each_cause(audit_of_all):
    numbers = re.findall(r"^Leak (\d+) of (\d+): ", audit_of_all.out, re.MULTILINE)
    count = len(numbers)
    assert count < len(audit_of_all.report["findings"])
    assert numbers == [(str(number + 1), str(count)) for number in range(count)]
