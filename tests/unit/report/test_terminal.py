"""The stress run on a terminal: how many of what there were."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import Proof, Verdict
from ci_cache_isolation.report.stress_document import stress_document
from ci_cache_isolation.report.stress_terminal import show
from ci_cache_isolation.report.terminal import StressTerminal
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.stress.plan import Kind, Shard, Step
from ci_cache_isolation.stress.results import Run, StressResult


def shown(tests, findings=()):
    """Return what is said of one run in which all of these failed."""
    step = Step(0, Kind.FORWARD)
    run = Run(step, Cache.SHARED, End.FINISHED, 0.1, tuple(tests), failed=tuple(tests))
    result = StressResult("django", Cache.SHARED, 1, Shard(1, 1), runs=[run])
    result.findings = {each.test: Finding(each) for each in findings}
    console = Console(file=io.StringIO(), width=1000)
    terminal = StressTerminal(console)
    terminal.begin("django", Cache.SHARED, 1, len(tests))
    show(console, stress_document(result), Path("report.json"))
    return console.file.getvalue()


def victim(test, *, cured):
    proof = Proof(alone=0, after=5, isolated=0 if cured else 5)
    return Judged(
        test,
        Verdict.VICTIM,
        proof,
        ("polluter", test),
        (("polluter",),),
        isolation_cures=cured,
    )


def test_one_is_in_the_singular():
    text = shown(["a"])
    assert "up to 1 order at a time" in text
    assert "1 test failed and was not judged:" in text
    assert "failed in 1 of 1 run: forward" in text


def test_two_are_in_the_plural():
    text = shown(["a", "b"])
    assert "up to 2 orders at a time" in text
    assert "2 tests failed and were not judged:" in text


@pytest.mark.parametrize(
    ("cured", "said"),
    [
        ([True], "Isolation cures it: with it the test passes in the same order."),
        ([True, False], "cures 1 of them: with it the test passes in the same order."),
        ([True, True], "cures 2 of them: with it they pass in the same order."),
        ([False], "Isolation does not cure it: no cache carries that."),
        ([False, False], "Isolation cures none of them: no cache carries that."),
    ],
)
def test_as_many_as_isolation_cures(cured, said):
    findings = [victim(f"t{at}", cured=each) for at, each in enumerate(cured)]
    assert said in shown([each.test for each in findings], findings)
