"""Orders in cold processes, where forks are not safe."""

from types import SimpleNamespace

import pytest

from ci_cache_isolation.running.jobs import End, Forked, Job, SectionMode
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.suite import SuiteTest
from ci_cache_isolation.stress import executors
from ci_cache_isolation.stress.executors import ColdExecutor

OWN = Job(("a", "b"))
OTHERS = [Job(("b", "a")), Job(("a",)), Job(("a", "b"), SectionMode.ISOLATED)]


@pytest.fixture
def executor(tmp_path, monkeypatch):
    """One that has run the suite's own order; it keeps what else is run."""
    request = SimpleNamespace(labels=(), cache=Cache.SHARED, processes=2, seed=1)
    made = ColdExecutor(SimpleNamespace(folder=tmp_path), request, tmp_path)
    made.suite = [SuiteTest("a"), SuiteTest("b")]
    made._first = Forked(OWN, End.FINISHED, {"b": "passed"}, 2.0, "")
    made.ran = []

    def run(jobs, most):
        made.most = most
        for job in jobs:
            made.ran.append(job.tests)
            yield SimpleNamespace(job=job)

    made._runs = SimpleNamespace(run=run)
    made._cold = lambda job, tests: SimpleNamespace(tests=tests)
    monkeypatch.setattr(
        executors, "_forked", lambda job, run: Forked(job, End.FINISHED, {}, 1.0, "")
    )
    return made


def test_the_suites_own_order_was_run_already_and_all_others_are_run(executor):
    jobs = [OWN, *OTHERS]
    assert {forked.job for forked in executor.run(jobs)} == set(jobs)
    assert executor.ran == [job.tests for job in OTHERS]


def test_a_second_time_it_is_run_as_others_are(executor):
    assert [forked.seconds for forked in executor.run([OWN])] == [2.0]
    assert [forked.seconds for forked in executor.run([OWN])] == [1.0]
    assert executor.ran == [OWN.tests]


@pytest.mark.parametrize(("at_a_time", "most"), [(None, 2), (1, 1), (2, 2), (5, 2)])
def test_no_more_run_at_a_time_than_were_asked_for(executor, at_a_time, most):
    list(executor.run(OTHERS, at_a_time))
    assert executor.most == most
