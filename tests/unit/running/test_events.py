import pytest

from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.running.events import (
    RECORD_VARIABLE,
    EventFile,
    Told,
    read,
)
from ci_cache_isolation.running.outcomes import FAILED, PASSED, SKIPPED
from ci_cache_isolation.running.suite import SuiteTest


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "record.jsonl"
    monkeypatch.setenv(RECORD_VARIABLE, str(path))
    return path


def recorder_of(path):
    recorder = EventFile()
    tests = [SuiteTest("a", ("m", "m.A")), SuiteTest("é\ud800\n", ())]
    recorder.collected(tests, settings="s", shared=["database 'default'"])
    recorder.started("a")
    return recorder, tests


def test_a_test_without_an_outcome_was_under_way_also_if_it_is_said_to_have_ended(path):
    recorder, _ = recorder_of(path)
    recorder.outcome("a", PASSED)
    recorder.started("b")
    recorder.ended("b")
    recorder.close()
    [(test, at)] = read(path).under_way.items()
    assert test == "b"
    assert 0 <= steady() - at < 60


def test_of_each_worker_the_last_test_may_be_under_way(path):
    recorder, _ = recorder_of(path)
    for worker, test in (("1", "a"), ("2", "b"), ("1", "c"), ("2", "d")):
        recorder.ran_in(worker, test)
    for test in ("a", "b", "d"):
        recorder.outcome(test, PASSED)
    recorder.close()
    assert list(read(path).under_way) == ["c"]


def test_what_was_written_is_read(path):
    recorder, tests = recorder_of(path)
    recorder.outcome("a", PASSED)
    recorder.ended("a")
    recorder.finished()
    record = read(path)
    assert record == Told(
        tests=tests,
        settings="s",
        shared=["database 'default'"],
        order=["a"],
        outcomes={"a": PASSED},
        is_collected=True,
        is_finished=True,
    )
    recorder.close()


def test_a_failure_counts_whatever_comes_with_it(path):
    recorder, _ = recorder_of(path)
    for outcome in (PASSED, FAILED, PASSED, SKIPPED):
        recorder.outcome("a", outcome)
    assert list(read(path).having(FAILED)) == ["a"]
    recorder.close()


def test_a_record_that_breaks_off_names_the_test_that_was_running(path):
    recorder, _ = recorder_of(path)
    recorder.close()
    with path.open("a") as file:
        file.write('{"event": "outc')
    record = read(path)
    assert (record.running, record.is_finished) == ("a", False)


def test_no_file_is_an_empty_record(tmp_path):
    assert read(tmp_path / "none") == Told()


def test_without_the_variable_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv(RECORD_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    recorder_of(None)
    assert list(tmp_path.iterdir()) == []
