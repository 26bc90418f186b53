"""Tests that fail while another process is live, and whom they fail beside."""

from types import SimpleNamespace

import pytest

from ci_cache_isolation.judging.beside import AT_LEAST, Beside, Met, with_neighbours
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import Proof
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.jobs import End, Forked, SectionMode
from ci_cache_isolation.running.outcomes import FAILED, PASSED

TEST, MATE, OTHER = "app.test_counts", "app.test_clears", "app.test_reads"


class Processes:
    """Two forks at a time. ``TEST`` fails beside ``MATE`` in common sections."""

    def __init__(self, fails=5):
        self.fails = fails
        self.pairs = []

    def __call__(self, jobs):
        neighbour, own = jobs
        assert neighbour.common == own.common
        self.pairs.append((own.tests[0], neighbour.tests[0], own.sections))
        times = self.pairs.count(self.pairs[-1])
        has_met = self.pairs[-1] == (TEST, MATE, SectionMode.COMMON)
        outcome = FAILED if has_met and times <= self.fails else PASSED
        yield Forked(neighbour, End.FINISHED, {neighbour.tests[0]: PASSED}, 0.1, "")
        yield Forked(own, End.FINISHED, {own.tests[0]: outcome}, 0.1, "")


def beside(processes, sharing):
    evidence = SimpleNamespace(sharing=lambda test: sharing.get(test, []))
    return Beside(processes, evidence, lambda: False)


def test_a_test_is_run_beside_each_neighbour_that_it_shares_something_with():
    processes = Processes()
    asked = beside(processes, {TEST: [MATE, TEST]})
    assert asked(TEST, [OTHER, MATE]) == 5
    assert asked.found == {TEST: [Met(MATE, failed=5, isolated=0)]}
    assert {mate for _, mate, _ in processes.pairs} == {MATE, TEST}


def test_those_that_were_not_seen_to_fail_are_found_by_who_shares_with_them():
    processes = Processes(fails=6)
    asked = beside(processes, {TEST: [MATE], OTHER: [MATE]})
    assert list(asked.screened([OTHER, TEST])) == [TEST]
    assert asked.found == {TEST: [Met(MATE, failed=5, isolated=0)]}


@pytest.mark.parametrize("fails", [AT_LEAST - 1, AT_LEAST])
def test_it_has_to_fail_beside_another_more_often_than_chance_has_it(fails):
    asked = beside(Processes(fails), {TEST: [MATE]})
    assert asked(TEST, [MATE]) == (fails if fails == AT_LEAST else 0)


def test_a_finding_is_proved_by_the_neighbour_beside_which_it_fails_most():
    judged = Judged(TEST, Verdict.CROSS_PROCESS, Proof(alone=0, after=1), (TEST,))
    found = with_neighbours(judged, [Met(OTHER, 3, 0), Met(MATE, 5, 1)])
    assert found.after == ((OTHER,), (MATE,))
    assert (found.proof.after, found.proof.isolated) == (5, 1)
    assert found.isolation_cures is False
    assert with_neighbours(judged, []) is judged
