"""Whatever a test does to its process, it spoils its own fork only, and is named."""

import pytest

from ci_cache_isolation.running.forks import End, Job, SectionMode
from tests.served import Served, eventually, in_session_of, ran

SOUND = "worse.WorseTests.test_sound"


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("test_exits_as_if_all_were_well", "the process ended with exit code 0"),
        ("test_crashes", "the process was killed by SIGSEGV"),
        ("test_kills_its_group", "the process was killed by SIGKILL"),
        ("test_is_interrupted", "the run was ended by KeyboardInterrupt"),
    ],
)
def test_a_fork_that_dies_is_named_with_its_test(running, test, message):
    before, test = SOUND, f"worse.WorseTests.{test}"
    forked = ran(running, before, test, "worse.WorseTests.test_fails")
    assert forked.end is End.DIED
    assert forked.outcomes == {running.id(before): "passed", running.id(test): "failed"}
    assert forked.messages == {running.id(test): message}
    assert forked.message == message
    assert forked.order == (running.id(before), running.id(test))
    assert ran(running, SOUND).last == "passed"


def test_a_session_that_is_ended_in_the_middle_is_an_end_too(running):
    forked = ran(running, "worse.WorseTests.test_ends_the_session", SOUND)
    # It is an exception of pytest's, of which unittest makes a failure of the test.
    expected = {"django": End.FINISHED, "pytest": End.DIED}
    assert forked.end is expected[running.runner]
    assert "Exit: enough" in "".join(forked.messages.values())


def test_a_job_may_have_a_time_limit_of_its_own(running):
    loops = "worse.WorseTests.test_loops"
    forked = ran(running, SOUND, loops, SOUND, seconds=1)
    assert (forked.end, forked.message) == (End.TIMED_OUT, "no end within 1 s")
    assert forked.messages == {running.id(loops): "no end within 1 s"}
    assert forked.outcomes[running.id(SOUND)] == "passed"


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("test_raises_what_cannot_be_pickled", "LocalError"),
        ("test_raises_what_cannot_be_printed", "UnprintableError"),
        ("test_raises_a_surrogate", "ValueError"),
    ],
)
def test_whatever_is_raised_is_told(running, test, message):
    test = f"worse.WorseTests.{test}"
    forked = ran(running, test, SOUND)
    assert forked.end is End.FINISHED
    assert forked.outcomes == {running.id(test): "failed", running.id(SOUND): "passed"}
    assert message in forked.messages[running.id(test)]
    assert forked.message == ""


@pytest.mark.parametrize(
    "test",
    [
        *("test_starts_a_thread", "test_starts_a_thread_that_must_be_waited_for"),
        *("test_handles_signals", "test_moves_away", "test_replaces_output"),
        "test_forks_and_fails_there",
    ],
)
def test_what_it_does_ends_with_the_fork(running, test):
    tests = f"worse.WorseTests.{test}", SOUND
    forked = ran(running, *tests)
    assert (forked.end, forked.messages) == (End.FINISHED, {})
    assert forked.order == tuple(map(running.id, tests))
    assert ran(running, "worse.WorseTests.test_is_where_it_was").last == "passed"
    alone = [running.running.pid]
    assert eventually(lambda: in_session_of(running.running.pid) == alone)


def test_every_test_that_failed_has_its_message(running):
    tests = [f"worse.WorseTests.{each}" for each in ("test_fails", "test_fails_too")]
    forked = ran(running, tests[0], SOUND, tests[1])
    assert forked.messages == {
        running.id(tests[0]): "AssertionError: one",
        running.id(tests[1]): "AssertionError: two",
    }
    assert forked.message == "AssertionError: two"


def test_data_of_a_class_is_set_up_again_when_the_class_comes_back(running):
    changes, is_new = (
        f"worse.WithDataTests.{each}" for each in ("test_changes", "test_is_new")
    )
    tests = [changes, is_new, SOUND, is_new, changes, SOUND, changes, changes, is_new]
    for order in (tests, tests[::-1], [each for each in tests for _ in range(2)]):
        forked = ran(running, *order)
        assert forked.messages == {}
        assert forked.order == tuple(map(running.id, order))


def test_forks_at_once_have_temporary_directories_of_their_own(
    tmp_path, nothing_of_this_run
):
    served = Served(tmp_path, "pytest")
    job = served.job("worse.test_with_directory")
    with served.server() as server:
        assert [each.messages for each in server.run([job] * 2)] == [{}] * 2
    assert list(served.temporary.iterdir()) == []


def test_a_tag_goes_with_common_sections_only():
    for wrong in ({"common": "x"}, {"sections": SectionMode.COMMON}):
        with pytest.raises(ValueError, match="common tag"):
            Job(("a",), **wrong)
    assert Job(("a",), SectionMode.COMMON, common="x").common == "x"
