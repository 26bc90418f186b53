"""This suite's own pytest plugins: ``--part``, and what an interrupted run prints."""

import os
import re
import signal
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = """
import time

import pytest


@pytest.mark.parametrize("number", range(20))
def test_many(number):
    pass


def test_that_fails():
    assert not "well"


def test_that_hangs():
    time.sleep(60)
"""
# The process that prints shows by files what it has been told by its workers.
CONFTEST = """
import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.interrupted", "tests.parts"]


@pytest.hookimpl(trylast=True)
def pytest_runtest_logstart(nodeid):
    if "hangs" in nodeid and "PYTEST_XDIST_WORKER" not in os.environ:
        Path("hangs").touch()


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report):
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        Path("failed").touch()
"""


@pytest.fixture
def begun(tmp_path):
    """Start pytest on a small suite, in a process group of its own."""
    (tmp_path / "test_some.py").write_text(SUITE)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CI_CACHE_", "DJANGO_", "PYTEST_"))
    }
    others = ("cacheprovider", "ci_cache_isolation", "django", "randomly")
    started = []

    def begin(*arguments):
        run = subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", *arguments),
                *(f"-pno:{name}" for name in others),
            ],
            cwd=tmp_path,
            env=kept | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(run)
        return run

    yield begin
    for run in started:
        # Closes its output, and waits.
        with run:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("number", "options"),
    [
        (signal.SIGINT, ["-n2"]),
        (signal.SIGTERM, ["-n2"]),
        (signal.SIGINT, ["-pno:xdist"]),
    ],
    ids=["Ctrl-C", "end of a CI job's time", "Ctrl-C in one process"],
)
def test_an_interrupted_run_prints_what_failed_and_what_was_running(
    begun, tmp_path, number, options
):
    run = begun(*options, "-k", "fails or hangs")
    deadline = time.monotonic() + 60
    while not all((tmp_path / name).exists() for name in ("failed", "hangs")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(run.pid, number)
    output = run.communicate(timeout=60)[0]
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    assert (
        "\n== interrupted: 1 failed, 1 running\n"
        "   failed: test_some.py::test_that_fails\n"
        "   running: test_some.py::test_that_hangs\n"
    ) in output
    assert "FAILED test_some.py::test_that_fails - " in output


def test_parts_have_all_tests_together_and_each_test_once(begun):
    outputs = [
        begun(f"--part={number}/3", "-pno:xdist", "-v", "-k", "many").communicate()[0]
        for number in (1, 2, 3)
    ]
    passed = [re.findall(r"test_many\[(\d+)\] PASSED", each) for each in outputs]
    assert all(passed)
    assert sorted(map(int, chain.from_iterable(passed))) == list(range(20))
    assert "part: 2 of 3" in outputs[1]


def test_errors_in_collection_are_no_interrupt(begun, tmp_path):
    (tmp_path / "test_other.py").write_text("import nowhere\n")
    run = begun("-pno:xdist", "-k", "many")
    assert "== interrupted" not in run.communicate(timeout=60)[0]
    assert run.returncode == pytest.ExitCode.INTERRUPTED


def test_workers_agree_on_a_part(begun):
    alone = begun("--part=2/3", "-pno:xdist", "-k", "many").communicate()[0]
    spread = begun("--part=2/3", "-n2", "-k", "many").communicate()[0]
    [count] = re.findall(r"(\d+) passed", alone)
    assert f"{count} passed" in spread
