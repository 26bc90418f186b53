"""Stress in forks and in cold processes, to be compared."""

from tests.commands import copied

REMARK = "Every order was run in a cold process. CI_CACHE_ISOLATION_FORK is off."
COMPARED = ("test", "verdict", "message", "after", "proof", "state")
OFF = {"CI_CACHE_ISOLATION_FORK": "off"}
LABEL = {
    "django": "cases.test_leaking.CacheTests",
    "pytest": "cases/test_leaking.py::CacheTests",
}
MEMOISED = """
import functools
from django.test import SimpleTestCase

rates = {"today": 1}

@functools.cache
def rate():
    return rates["today"]

class RateTests(SimpleTestCase):
    def test_a_is_one(self):
        self.assertEqual(rate(), 1)

    def test_b_is_two(self):
        rates["today"] = 2
        self.addCleanup(rates.update, today=1)
        rate()
"""


def finds_the_same_without_forks(folder, runner):
    """Stress the small project both ways, and compare what is found and said."""
    project = copied("small", folder)
    options = ("--orders", 0, "--split", 0, "--seed", 0, "--runner", runner)
    options += ("--cache", "shared")
    forked = project.stress(*options, LABEL[runner])
    assert (forked.code, forked.err) == (1, "")
    assert "cold process. CI" not in forked.out
    expected = _judged(project)
    assert len(expected) == 1
    assert expected[0][-1]["key"] == "key"

    done = project.stress(*options, LABEL[runner], **OFF)
    assert (done.code, done.err) == (1, "")
    assert done.out.count(f"{REMARK}\n") == 1
    assert _judged(project) == expected
    assert [run["kind"] for run in project.report()["runs"]] == [
        *("forward", "reverse", "twice")
    ]
    assert project.at_work() == []


def _judged(project):
    return [
        tuple(each[name] for name in COMPARED) for each in project.report()["findings"]
    ]
