"""What the exit codes of commands say."""

import pytest

from ci_cache_isolation.commands.exits import ExitCode

RUN = {"end": "finished"}
CLEAN = {
    "failures": [],
    "findings": [],
    "runs": [RUN],
    "interrupted": False,
    "failure": "",
    "complete": True,
}


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ({}, ExitCode.CLEAN),
        ({"complete": False}, ExitCode.INCOMPLETE),
        ({"complete": False, "failures": [{"flaky": True}]}, ExitCode.FOUND),
        ({"complete": False, "findings": [{"verdict": "victim"}]}, ExitCode.FOUND),
        ({"complete": False, "failures": [{"flaky": False}]}, ExitCode.CANNOT_START),
        ({"complete": False, "runs": [{"end": "died"}]}, ExitCode.CANNOT_START),
        ({"complete": False, "runs": []}, ExitCode.NOTHING_RAN),
        ({"complete": False, "interrupted": True}, ExitCode.INTERRUPTED),
    ],
)
def test_clean_is_what_was_put_to_the_test(found, code):
    assert ExitCode.of(CLEAN | found) is code


def test_who_allows_what_is_incomplete_has_it_clean():
    incomplete = CLEAN | {"complete": False}
    assert ExitCode.of(incomplete, allows_incomplete=True) is ExitCode.CLEAN


def test_a_report_of_an_earlier_version_does_not_say_it():
    earlier = {key: value for key, value in CLEAN.items() if key != "complete"}
    assert ExitCode.of(earlier) is ExitCode.CLEAN
