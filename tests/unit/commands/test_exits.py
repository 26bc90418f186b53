"""How commands end: what their exit codes say, and what becomes of the report."""

import io
import json

import pytest

from ci_cache_isolation.commands.exits import ExitCode, OwnConsole, hand_over
from tests.unit.report.test_merging import document

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


class Gone(io.StringIO):
    """What is written to somebody who has gone, as to ``head`` in a shell."""

    def write(self, text):
        raise BrokenPipeError


def test_the_report_is_there_when_its_reader_has_gone(tmp_path):
    with pytest.raises(BrokenPipeError):
        hand_over(document(), tmp_path / "report", OwnConsole(file=Gone()))
    written = json.loads((tmp_path / "report" / "report.json").read_text())
    assert written["findings"] == document()["findings"]
    assert (tmp_path / "report" / "report.html").exists()


def test_what_can_not_be_written_is_shown_before_it_is_said(tmp_path, capsys):
    (tmp_path / "report").write_text("")
    shown = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        hand_over(document(), tmp_path / "report", OwnConsole(file=shown))
    assert ended.value.code == ExitCode.USAGE
    assert "2 tests failed and were not judged" in shown.getvalue()
    assert "can't be written" in capsys.readouterr().err
