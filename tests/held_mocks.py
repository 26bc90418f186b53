"""Suites whose code holds a cache since import, in the forks of audit and of stress."""

from tests.audits import audited, found_in
from tests.commands import copied
from tests.held_and_patched import BACKENDS, location_of

PRICES = """\
from django.core.cache import caches

cache = caches["fragments"]
# So that there is a connection to inherit.
cache.get("price")


def price():
    return cache.get("price")
"""
TESTS = """\
from unittest import mock

from django.core.cache import cache, caches
from django.test import SimpleTestCase

from cases import prices


class FirstTests(SimpleTestCase):
    def test_patched(self):
        with mock.patch.object(caches["fragments"], "get", return_value=3):
            self.assertEqual(prices.price(), 3)


class SecondTests(SimpleTestCase):
    def test_patched(self):
        with mock.patch.object(caches["fragments"], "get", return_value=4):
            self.assertEqual(prices.price(), 4)


class LeakingTests(SimpleTestCase):
    def test_a_reads(self):
        with mock.patch.object(caches["fragments"], "get", return_value=1):
            self.assertEqual(prices.price(), 1)
        self.assertEqual(cache.get("key", 1), 1)

    def test_b_stores(self):
        cache.set("key", 2)


class LeftTests(SimpleTestCase):
    def test_a_has_no_price(self):
        self.assertIsNone(prices.price())

    def test_b_leaves_a_patch(self):
        mock.patch.object(caches["fragments"], "get", return_value=5).start()
"""


def project_of(store, request):
    """Return the project, with a cache of that kind to hold."""
    project = copied("small", request.getfixturevalue("tmp_path"))
    fragments = {
        "BACKEND": BACKENDS[store],
        "LOCATION": location_of(store, request),
        "KEY_PREFIX": f"{store}-{project.folder.parent.name[-20:]}",
    }
    project.add_settings(f'CACHES["fragments"] = {fragments!r}')
    cases = project.folder / "cases"
    (cases / "prices.py").write_text(PRICES, encoding="utf-8")
    (cases / "test_held.py").write_text(TESTS, encoding="utf-8")
    return project


def id_of(runner, test):
    if runner == "django":
        return f"cases.test_held.{test}"
    return f"cases/test_held.py::{test.replace('.', '::')}"


def label_of(runner):
    return "cases.test_held" if runner == "django" else "cases/test_held.py"


def audit_names_the_leak(runner, store, request):
    """Audit the project: its one leak through a cache is proved, and nothing else."""
    options = ("--runner", runner, label_of(runner))
    found = audited(project_of(store, request), *options)
    leak = found_in(found.report)[
        id_of(runner, "LeakingTests.test_a_reads"),
        frozenset({id_of(runner, "LeakingTests.test_b_stores")}),
    ]
    assert leak["proof"] == {"alone": "0/5", "after": "5/5", "isolated": "0/5"}
    assert len(found.report["findings"]) == 1
    assert not any(run["failed"] for run in found.report["runs"])


def stress_names_the_victims(runner, store, request):
    """Stress the project: the leak and the patch that stays have a victim each."""
    project = project_of(store, request)
    options = ("--orders", 0, "--split", 0, "--seed", 0, "--cache", "shared")
    done = project.stress("--runner", runner, *options, label_of(runner))
    assert (done.code, done.err) == (1, ""), done.out
    report = project.report()
    judged = {
        each["test"]: (each["verdict"], each["after"]) for each in report["findings"]
    }
    assert judged == {
        id_of(runner, victim): ("victim", [[id_of(runner, polluter)]])
        for victim, polluter in (
            ("LeakingTests.test_a_reads", "LeakingTests.test_b_stores"),
            ("LeftTests.test_a_has_no_price", "LeftTests.test_b_leaves_a_patch"),
        )
    }
