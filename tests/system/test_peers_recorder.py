"""How ``nox -s peers`` reads, compares and expects; the runs themselves are its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import results
from tests.peers.results import Outcome

RECORDER = Path(results.__file__).with_name("inside") / "recorder.py"
PASSED, SKIPPED, FAILED = Outcome.PASSED, Outcome.SKIPPED, Outcome.FAILED
SUITE = """
import unittest

class Tests(unittest.TestCase):
    def test_passes(self): pass
    def test_fails(self): self.fail("on purpose")
    @unittest.skip("not today")
    def test_skipped(self): pass
    @unittest.expectedFailure
    def test_fails_as_expected(self): self.fail("known")
    @unittest.expectedFailure
    def test_passes_unexpectedly(self): pass
    def test_has_a_subtest_that_fails(self):
        with self.subTest(): self.fail("inside")

class Unset(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise OSError("no server")
    def test_never_runs(self): pass

unittest.main(module=__name__)
"""


def recorded(path, *command):
    subprocess.run(
        [sys.executable, RECORDER, path / "record", *command],
        cwd=path,
        capture_output=True,
        check=False,
    )
    return results.recorded(path / "record")


@pytest.mark.parametrize("command", [("suite.py",), ("-m", "suite")])
def test_the_recorder_writes_down_what_becomes_of_each_test(tmp_path, command):
    (tmp_path / "suite.py").write_text(SUITE)

    found = recorded(tmp_path, *command)

    prefix = "__main__.Tests.test_"
    assert {test: each.outcome for test, each in found.items()} == {
        f"{prefix}passes": PASSED,
        f"{prefix}fails": FAILED,
        f"{prefix}skipped": SKIPPED,
        f"{prefix}fails_as_expected": PASSED,
        f"{prefix}passes_unexpectedly": FAILED,
        f"{prefix}has_a_subtest_that_fails": FAILED,
        "setUpClass (__main__.Unset)": FAILED,
    }
    assert found[f"{prefix}fails"].reason == "AssertionError: on purpose"


def test_a_run_that_dies_in_the_middle_is_no_run(tmp_path):
    (tmp_path / "suite.py").write_text(
        SUITE.replace("unittest.main", "import os; Tests.test_passes = os.abort; ")
    )

    with pytest.raises(results.Unreadable, match="did not come to its end"):
        recorded(tmp_path, "suite.py")
