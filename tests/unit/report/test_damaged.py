"""Reports that are damaged, or made to do harm: refused in a sentence, or sound."""

import io
import json
from itertools import islice

import pytest
from click.testing import CliRunner
from rich.console import Console

from ci_cache_isolation.commands.exits import ExitCode
from ci_cache_isolation.commands.merge import _read as read
from ci_cache_isolation.commands.merge import merge as command
from ci_cache_isolation.report.github import workflow_commands
from ci_cache_isolation.report.junit import junit
from ci_cache_isolation.report.markdown import summary
from ci_cache_isolation.report.merging import MergeError, merged
from ci_cache_isolation.report.page import page
from ci_cache_isolation.report.terminal import show
from tests.damaged import TEXTS, cut, damaged
from tests.unit.report.test_merging import FINDING, document

ENTRY = {"alias": "default", "key": "k", "version": "1"}
STATE = {
    "kind": "cache",
    **ENTRY,
    "how": "stored",
    "written_at": "a.py:1",
    "written_from": "b.py:2",
    "read_at": "c.py:3",
    "read_from": "c.py:3",
    "together": [ENTRY],
    "or": [[ENTRY]],
}
SOUND = document(
    lambda step: step.index < 2,
    findings=[
        {"state": STATE, "message": "AssertionError", "order": 3, "complete": True},
        {
            "test": "A.t0",
            "state": {
                "kind": "memoised",
                "function": "a.b",
                "written_at": "a.py:1",
                "read_at": None,
            },
        },
    ],
)
SOUND["conflicts"] = [
    {
        **ENTRY,
        "pattern": None,
        "left_by": [{"test": "a", "at": "x:1", "how": "stored", "expires_in": None}],
        "seen_by": [{"test": "b", "at": "y:2", "hit": True}],
    }
]
SOUND["remarks"] = ["A remark."]
OTHER = document(lambda step: step.index < 2, seed=6)
PIECES = 8
# Two are a quarter of the faults at each place. Exhaustive has the rest.
SOME = (0, 5)


def shown(whole, tmp_path):
    """Show a report in all ways."""
    page(whole).encode("utf-8", "backslashreplace")
    summary(whole)
    junit(whole)
    show(Console(file=io.StringIO()), whole, tmp_path)
    workflow_commands(whole, "/a", "/a")
    json.dumps(whole, indent=2)
    return ExitCode.of(whole)


def test_the_sound_one_is_shown(tmp_path):
    assert shown(merged([("0", SOUND), ("1", OTHER)]), tmp_path) is ExitCode.FOUND


def refuse_or_show(piece, tmp_path):
    """Give reports with a piece of all faults to what reads and what shows them."""
    path = tmp_path / "report.json"
    for place, each in islice(damaged(SOUND), piece, None, PIECES):
        path.write_text(json.dumps(each))
        refused = "."
        try:
            whole = merged([read(path), ("1", OTHER)])
        except MergeError as error:
            refused = str(error)
        else:
            shown(whole, tmp_path)
        assert refused.endswith("."), place


@pytest.mark.parametrize("piece", SOME)
def test_one_with_a_fault_is_refused_in_a_sentence_or_can_be_shown(piece, tmp_path):
    refuse_or_show(piece, tmp_path)


def ran(*arguments):
    result = CliRunner().invoke(command, [*map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_what_is_no_report_is_exit_code_2(tmp_path, number):
    path = tmp_path / "report.json"
    path.write_bytes(TEXTS[number])
    result = ran(path, "--report", tmp_path / "merged")
    assert result.exit_code == 2
    assert result.stderr.startswith("cache-isolation: ")
    assert not (tmp_path / "merged").exists()


def test_one_that_was_cut_off_is_exit_code_2(tmp_path):
    path = tmp_path / "report.json"
    for text in cut(json.dumps(SOUND), 40):
        path.write_text(text)
        assert ran(path, "--report", tmp_path / "merged").exit_code == 2


def test_a_folder_in_a_files_place_is_exit_code_2(tmp_path):
    (tmp_path / "report.json").mkdir()
    assert ran(tmp_path).exit_code == 2
    assert ran(tmp_path / "report.json").exit_code == 2


def test_few_bytes_that_say_much_are_refused(tmp_path):
    path = tmp_path / "report.json"
    huge = json.loads(json.dumps(SOUND))
    coverage = huge["pairs"]["coverage"]
    coverage |= {"tests": 2**31, "ranks": [[0, 2**31]]}
    path.write_text(json.dumps(huge))
    result = ran(path, "--report", tmp_path / "merged")
    assert result.exit_code == 2
    assert "it is the coverage of 2147483648 tests" in result.stderr


def test_names_that_utf_8_cannot_say_are_shown_escaped(tmp_path):
    hostile = document(findings=[FINDING | {"message": "\ud800", "test": "B.\udcff"}])
    path = tmp_path / "report.json"
    path.write_text(json.dumps(hostile))
    result = ran(path, "--report", tmp_path / "merged")
    assert result.exit_code == 1
    for name in ("report.json", "summary.md", "report.html", "junit.xml"):
        assert "udcff" in (tmp_path / "merged" / name).read_text("utf-8")


def test_what_a_report_calls_itself_can_do_nothing_to_a_terminal(tmp_path):
    paths = [tmp_path / name for name in ("0.json", "1.json")]
    for path, name in zip(paths, ("\x1b[2J\udcff", "ci"), strict=True):
        path.write_text(json.dumps(OTHER | {"tool": {"name": name, "version": "1"}}))
    result = ran(*paths, "--report", tmp_path / "merged")
    assert result.exit_code == 2
    assert r"the tool is ci in the one, \x1b[2J\udcff in the other" in result.stderr
