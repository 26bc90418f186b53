"""Tests that fail only because orders run beside each other, and what is done about it.

Forks share what no fork can have of its own: a server's database, a file, a port.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.jobs import End, Job, SectionMode
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import PASSED
from ci_cache_isolation.running.output import counted
from ci_cache_isolation.stress.results import Run, StressResult

__all__ = ["many_collided", "remarks", "run_again"]

_COLLIDED = (
    "{tests} failed while other orders ran beside, and never with nothing beside: "
    "{named}. These orders collide, at a server's database, a file or a port, so that "
    "is no failure of the tests. --processes 1 runs one order at a time."
)
_IN_SPLIT_TOO = (
    " {tests} of them failed in a split run too, so they do with workers of your own "
    "(--parallel, -n): give each worker what they collide at."
)
_IN_COMMON = (
    "{tests} failed at a file, a folder or a port that is gone or taken. Orders that "
    "run at a time have these in common, so they may be in each other's way: "
    "--processes 1 runs one order at a time."
)
_NAMED = 5
_MANY = 5
"""So many tests of one order do not all fail by chance."""
_OF_FILES_OR_PORTS = re.compile(
    r"FileNotFoundError|FileExistsError|OSError: \[Errno \d+\] "
    r"(File exists|Directory not empty|Address already in use)"
)


def many_collided(
    result: StressResult, quiet: Runs, sections: SectionMode
) -> dict[str, None]:
    """Return all tests that failed, if many do so only while orders run beside theirs.

    The order in which most failed is run once more by ``quiet``, with nothing beside
    it. It saves looking for the reason of each test while they are in each other's way.
    """
    whole = [run for run in result.runs if run.order and run.end is End.FINISHED]
    worst = max(whole, key=lambda run: len(run.failed), default=None)
    if worst is None or len(worst.failed) < _MANY:
        return {}
    for forked in quiet([_job(worst, sections)]):
        if forked.end is End.FINISHED:
            ended = forked.outcomes
            passed = [each for each in worst.failed if ended.get(each) == PASSED]
            if len(passed) >= max(_MANY, len(worst.failed) / 2):
                return dict.fromkeys(each for run in result.runs for each in run.failed)
    return {}


def run_again(
    result: StressResult, quiet: Runs, sections: SectionMode, *, are_proved: bool
) -> Iterator[Run]:
    """Run orders once more in which tests collided, and yield what came of them.

    ``quiet`` runs nothing beside them: what fails then has not collided. Unless
    collisions ``are_proved``, test by test, nor has what there was no time to run.
    """
    affected = [
        run
        for run in result.runs
        if run.order and not result.collided.keys().isdisjoint(run.failed)
    ]
    jobs = {id(job): (job, run) for run in affected for job in [_job(run, sections)]}
    for forked in quiet([job for job, _ in jobs.values()]):
        _, run = jobs[id(forked.job)]
        if forked.end is not End.INTERRUPTED:
            again = Run.of(forked, run.step, run.cache)
            result.runs[result.runs.index(run)] = again
            affected = [each for each in affected if each is not run]
            for test in again.failed:
                result.collided.pop(test, None)
            yield again
    for run in () if are_proved else affected:
        for test in run.failed:
            result.collided.pop(test, None)


def _job(run: Run, sections: SectionMode) -> Job:
    return Job(run.order, sections)


def remarks(result: StressResult, at_a_time: int) -> Iterator[str]:
    """Yield what is to be said of tests that were in each other's way."""
    if collided := list(result.collided):
        named = ", ".join(collided[:_NAMED])
        if len(collided) > _NAMED:
            named += f" and {len(collided) - _NAMED} more"
        split = {test for run in result.runs if run.workers for test in run.failed}
        also = len(split & result.collided.keys())
        said = _COLLIDED.format(tests=counted(len(collided), "test"), named=named)
        yield said + (_IN_SPLIT_TOO.format(tests=also) if also else "")
    if at_a_time > 1 and (number := len(_at_files_or_ports(result))):
        yield _IN_COMMON.format(tests=counted(number, "test"))


def _at_files_or_ports(result: StressResult) -> set[str]:
    """Return tests without a steady verdict that failed at a file or a port."""
    steady = {
        test
        for test, found in result.findings.items()
        if found.judged.verdict is not Verdict.NON_DETERMINISTIC
    }
    return {
        test
        for run in result.runs
        for test, message in run.messages.items()
        if _OF_FILES_OR_PORTS.match(message)
    } - (steady | result.collided.keys())
