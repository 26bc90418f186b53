"""Audits of projects whose leaks are known, and what their reports must say."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pytest

from tests.commands import Project, copied, sound_report
from tests.projects.corpus import truth

runners = pytest.mark.parametrize("runner", truth.RUNNERS)


@pytest.fixture
def corpus(tmp_path):
    return copied("corpus", tmp_path)


@dataclass(frozen=True)
class Audited:
    """A project whose audit has ended, for many tests to read."""

    project: Project
    out: str
    report: dict

    def card(self, text):
        """Return the one leak of the printed ones in which a text stands."""
        cards = re.findall(r"^Leak .*\n(?:  .*\n|\n(?=  ))+", self.out, re.MULTILINE)
        [card] = [each for each in cards if text in each]
        return card

    def findings(self, module):
        return [each for each in self.report["findings"] if module in each["test"]]

    def conflicts(self, module):
        return [
            each
            for each in self.report["conflicts"]
            if any(module in left["test"] for left in each["left_by"])
        ]


def audit(project, *arguments, **environment):
    command = ("-m", "ci_cache_isolation", "audit", *arguments)
    return project.python(*command, **environment)


def audited(project, *arguments, code=1, **environment):
    """Audit a project, which must end with that exit code and no complaint."""
    done = audit(project, *arguments, **environment)
    assert (done.code, done.err) == (code, ""), done.out
    return Audited(project, done.out, report_of(project))


def report_of(project):
    path = project.folder / ".cache-isolation" / "audit" / "report.json"
    return sound_report(path)


def found_in(report):
    return {
        (finding["test"], frozenset(group)): finding
        for finding in report["findings"]
        for group in finding["after"]
    }


def conflicting(report, left_by, seen_by):
    """Return the keys that some tests left and others looked at."""
    return {
        conflict["key"]
        for conflict in report["conflicts"]
        if not set(left_by).isdisjoint(each["test"] for each in conflict["left_by"])
        and not set(seen_by).isdisjoint(each["test"] for each in conflict["seen_by"])
    }


def planted(runner, labels=None):
    """Return what is planted, by victim and polluters; with labels, what is in them."""
    leaks = {
        (victim, frozenset(group)): leak
        for leak in truth.leaks(runner)
        for victim in leak.victims
        for group in leak.polluters
    }
    if labels is None:
        return leaks
    inside = re.compile("|".join(re.escape(label) for label in labels))
    return {
        (victim, group): leak
        for (victim, group), leak in leaks.items()
        if all(inside.match(name) for name in {victim, *group})
    }


def assert_is_as_planted(report, expected):
    found = found_in(report)
    assert found.keys() == expected.keys()
    for pair, leak in expected.items():
        finding = found[pair]
        assert finding["verdict"] == leak.kind
        alone, after = ("5/5", "0/5") if leak.kind == "brittle" else ("0/5", "5/5")
        if leak.function:
            assert finding["state"]["kind"] == "memoised", leak.name
            assert finding["state"]["function"] == leak.function
            proof = {"alone": alone, "after": after, "isolated": after, "reset": alone}
        else:
            assert finding["state"]["alias"] == leak.alias
            assert fnmatchcase(finding["state"]["key"], leak.key), leak.name
            proof = {"alone": alone, "after": after, "isolated": alone}
        assert finding["proof"] == proof, leak.name
        is_cured = leak.kind == "victim" and not leak.function
        assert finding["isolation_cures"] == is_cured
        assert set(leak.cleaners) <= set(finding["cleaners"]), leak.name


RUNS = {
    "django": ("manage.py", "test"),
    "pytest": ("-m", "pytest", "-q", "--no-header"),
}


def failed_in(corpus, runner, *, reverse=False, isolation="on", reset="off"):
    """Run all tests, unaudited; return what failed, by the runner's own ids."""
    options = ("--reverse",) if reverse and runner == "django" else ()
    variables = {"CORPUS_REVERSE": "1"} if reverse else {}
    done = corpus.python(
        *RUNS[runner],
        *options,
        CI_CACHE_ISOLATION=isolation,
        CI_CACHE_ISOLATION_RESET_MEMOISED=reset,
        **variables,
    )
    assert done.code in (0, 1), done.out + done.err
    pattern = {
        "django": r"^(?:FAIL|ERROR): \w+ \(([\w.]+)\)",
        "pytest": r"^(?:FAILED|ERROR) (\S+)",
    }[runner]
    return set(re.findall(pattern, done.out + done.err, re.MULTILINE))


def assert_only_brittle_tests_fail(corpus, runner, *, reverse):
    """Run all with isolation on, also of what functions remember."""
    failed = failed_in(corpus, runner, reverse=reverse, reset="on")
    assert failed == truth.brittle(runner)


def assert_what_functions_remember_fails(corpus, runner):
    """Run all with isolation on, in the reverse order."""
    remembered = {
        name for leak in truth.leaks(runner) if leak.function for name in leak.victims
    }
    failed = failed_in(corpus, runner, reverse=True)
    assert len(failed & remembered) > len(remembered) / 2
    assert failed <= remembered | truth.brittle(runner)


def assert_many_fail(corpus, runner):
    """Run all with isolation off, in the reverse order."""
    failed = failed_in(corpus, runner, reverse=True, isolation="off")
    victims = {name for leak in truth.leaks(runner) for name in leak.victims}
    assert len(failed) > len(victims) / 2
    assert failed <= victims


# Where ``MINDING`` is defined before it: the numbers of tests that mind who was first.
CALLERS = """\
import functools
from django.conf import settings
from django.test import SimpleTestCase, override_settings


@functools.lru_cache
def shop_name():
    return settings.SHOP_NAME


class CallerTests(SimpleTestCase):
    @override_settings(SHOP_NAME="Mall")
    def test_07_in_a_mall(self):
        shop_name()


for number in range(16):

    def test(self, minds=number in MINDING):
        self.assertIn(shop_name(), {"Corner Shop", "" if minds else "Mall"})

    setattr(CallerTests, f"test_{number:02}", test)
"""

HANGING = """\
import time
from pathlib import Path

from django.core.cache import cache
from django.test import SimpleTestCase


class HangingTests(SimpleTestCase):
    def test_a_takes_the_lock(self):
        cache.add("lock", 1)

    def test_b_waits_for_it(self):
        while not cache.add("lock", 1):
            Path("hangs").touch()
            time.sleep(0.01)
"""

SECRET_KEYS = """\
from django.core.cache import cache
from django.test import SimpleTestCase

# A traceback shows the source.
KEY = "open-" + "ses" + "ame"


class StoringTests(SimpleTestCase):
    def test_a(self):
        cache.set(KEY, 1)
        cache.set_many({KEY + "2": 1})
        cache.add(KEY + "3", 1)
        cache.set(KEY * 18, 1, version=2)


class LookingTests(SimpleTestCase):
    def test_b(self):
        is_there = KEY in cache
        self.assertFalse(is_there)

    def test_c(self):
        self.assertEqual(len(cache.get_many([KEY, KEY + "2"])), 0)

    def test_d(self):
        cache.get(KEY * 18, version=2)

    def test_e(self):
        with self.assertRaises(ValueError):
            cache.incr(KEY + "3")


class Awkward:
    def __str__(self):
        raise RuntimeError(KEY)


class ThrowingTests(SimpleTestCase):
    def test_f(self):
        with self.assertRaises(RuntimeError):
            cache.get(Awkward())
"""


def assert_keys_are_hashed(corpus, *options, **environment):
    """Audit tests with secret keys, of which nothing may be printed or recorded."""
    (corpus.folder / "shop" / "test_secret.py").write_text(SECRET_KEYS)
    is_confirmed = "--no-confirm" not in options
    done = audit(
        corpus,
        *options,
        *("--runner", "django", "--processes", "2", "shop.test_secret"),
        **environment,
    )
    assert done.code == is_confirmed, done.err
    report = report_of(corpus)
    names = {"suite.log", "report.json"}
    if is_confirmed:
        assert {each["test"][-1] for each in report["findings"]} == {"b", "c", "e"}
        assert re.search("^Leak 1 of .: 'key#", done.out, re.MULTILINE)
        names.add("fork-server.log")
    keys = {each["key"] for each in report["conflicts"]}
    assert len(keys) == 4
    for key in keys:
        assert re.fullmatch("key#[0-9a-f]{12}", key)
    assert {each["pattern"] for each in report["conflicts"]} == {None}
    assert "sesame" not in done.out + done.err
    folder = corpus.folder / ".cache-isolation"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert names < {path.name for path in files}
    for path in files:
        assert "sesame" not in path.read_text(), path
    log = next(folder.rglob("suite.log")).read_text()
    assert "The audit of this process has stopped: RuntimeError. What" in log
