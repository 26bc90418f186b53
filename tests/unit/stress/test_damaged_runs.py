"""Runs to be resumed that are damaged, or made to do harm: refused, or sound."""

import json

import pytest
from click.testing import CliRunner

from ci_cache_isolation.commands import stress as command
from ci_cache_isolation.evidence.account import Entry
from ci_cache_isolation.judging.judged import Cost, Judged, Replayed
from ci_cache_isolation.judging.proofs import Proof
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.suite import SuiteTest
from ci_cache_isolation.stress.pairs import Pairs
from ci_cache_isolation.stress.results import failing, in_sequence
from ci_cache_isolation.stress.run_file import KeptFinding, Known, ResumeError, RunFile
from tests.damaged import TEXTS, cut, damaged
from tests.unit.stress.test_run_file import ABOUT, FORWARD, RANDOM, SPLIT, TESTS, asking

ENTRY = Entry("memory:1", "", "1", "rate")
JUDGED = Judged(
    "é",
    Verdict.VICTIM,
    Proof(0, 5, 0),
    ("a", "é"),
    (("a",),),
    ("a",),
    isolation_cures=True,
    replayed=Replayed(1, 3),
    cost=Cost(9, 0.5),
)
KEPT = KeptFinding(JUDGED, ((ENTRY,),), (ENTRY,), "replay it")
WORKERS = [SuiteTest(test, ("A",), 0) for test in ("a", "é")]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders" / "runs.jsonl"


@pytest.fixture
def lines(path):
    path.parent.mkdir()
    file = RunFile(path, ABOUT, [FORWARD])
    file.add(RANDOM)
    file.add(KEPT)
    return [json.loads(line) for line in path.read_text().splitlines()]


def used(known):
    """Use runs as one that resumes them does."""
    known.check_tests(WORKERS)
    pairs = Pairs.of(TESTS)
    for run in known.runs:
        pairs.add(run.order)
    pairs.count()
    failing(in_sequence(known.runs), {"a", "é"})
    list(known.about.parts())
    for each in known.kept.values():
        each.decided(())
    RunFile(known.path, known.about, known.runs, known.kept.values()).add(SPLIT)
    again = Known.read(known.path)
    assert (again.runs[:-1], again.kept) == (known.runs, known.kept)


@pytest.mark.parametrize("number", range(4))
def test_one_with_a_fault_is_refused_in_a_sentence_or_can_be_used(path, lines, number):
    for place, each in damaged(lines[number]):
        changed = [*lines[:number], each, *lines[number + 1 :]]
        path.write_text("".join(json.dumps(line) + "\n" for line in changed))
        refused = "."
        try:
            used(Known.read(path))
        except ResumeError as error:
            refused = str(error)
        assert refused.endswith("."), place


def resumed(tmp_path, *arguments):
    options = ["--resume", "--report", str(tmp_path), *arguments]
    result = CliRunner().invoke(command.stress, options)
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 2
    assert result.stderr.startswith("cache-isolation: ")
    return result.stderr


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_what_is_no_run_is_exit_code_2(tmp_path, path, lines, number):
    path.write_bytes(TEXTS[number])
    assert "holds no run that could be resumed" in resumed(tmp_path)


def test_one_that_was_cut_off_in_its_first_runs_is_exit_code_2(tmp_path, path, lines):
    whole = "".join(json.dumps(line) + "\n" for line in lines[:2])
    for text in cut(whole.rstrip(), 30):
        path.write_text(text)
        assert "holds no run that could be resumed" in resumed(tmp_path)


def test_a_folder_in_a_files_place_is_exit_code_2(tmp_path, path):
    path.mkdir(parents=True)
    assert "(Is a directory)" in resumed(tmp_path)


def test_options_are_never_taken_from_a_file(tmp_path, path):
    path.parent.mkdir()
    RunFile(path, asking(labels=("--settings=evil",)), [FORWARD])
    found = resumed(tmp_path)
    assert f"--resume --report {tmp_path} -- --settings=evil" in found
