"""``cache-isolation audit`` where something is in its way, and where nothing is."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.audits import HANGING, audit, report_of
from tests.commands import copied, own_variables


def test_bad_input_gets_a_message_and_its_exit_code(corpus, tmp_path):
    assert audit(corpus, "--no-such-option").code == 2
    assert audit(corpus, "--minutes", "0").code == 2
    assert audit(corpus, CI_CACHE_ISOLATION_HASH_KEYS="perhaps").code == 2
    done = audit(corpus, CI_CACHE_ISOLATION="maybe")
    assert (done.code, "neither on nor off" in done.err) == (2, True)
    done = audit(corpus, "--runner", "django", "shop.no_such_module")
    assert (done.code, "Traceback" in done.err) == (4, False)
    assert "no_such_module (ModuleNotFoundError: No module named" in done.err
    done = audit(corpus, "--runner", "pytest", "shop/views.py")
    assert (done.code, "found no tests" in done.err) == (3, True)
    occupied = tmp_path / "occupied"
    occupied.write_text("")
    done = audit(corpus, "--report", occupied / "report")
    assert (done.code, "can't be written" in done.err) == (2, True)


@pytest.mark.fresh_interpreter("Ctrl-C ends the processes that people start")
def test_an_interrupt_keeps_what_is_known_and_leaves_no_process(corpus):
    (corpus.folder / "shop" / "test_hangs.py").write_text(HANGING)
    process = subprocess.Popen(
        [
            *("env", "--default-signal=INT", sys.executable, "-m"),
            *("ci_cache_isolation", "audit", "--runner", "django", "shop.test_hangs"),
        ],
        cwd=corpus.folder,
        env=own_variables({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    while not (corpus.folder / "hangs").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert "Interrupted: what follows is what was known until then." in out
    assert "'lock' in cache 'default'" in out
    assert re.search(r"When it was interrupted, \S+test_b_waits_for_it had run", out)
    assert report_of(corpus)["conflicts"]
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


STUCK = """\
import time
from pathlib import Path

from django.core.cache import cache
from django.test import SimpleTestCase


class StuckTests(SimpleTestCase):
    def test_a_takes_the_lock(self):
        cache.add("lock", 1)

    def test_b_looks_for_it(self):
        cache.add("lock", 1)

    def test_c_has_no_end(self):
        Path("hangs").touch()
        time.sleep(600)
"""


@pytest.mark.fresh_interpreter("Ctrl-C ends the processes that people start")
def test_an_interrupt_of_the_ordinary_run_keeps_what_it_has_written(corpus):
    keep_what_was_written_until_ctrl_c(corpus, "django")


def keep_what_was_written_until_ctrl_c(corpus, runner):
    """Interrupt an audit in its ordinary run; what was read until then is said."""
    (corpus.folder / "shop" / "test_stuck.py").write_text(STUCK)
    label = {"django": "shop.test_stuck", "pytest": "shop/test_stuck.py"}[runner]
    process = subprocess.Popen(
        [
            *("env", "--default-signal=INT", sys.executable, "-m"),
            *("ci_cache_isolation", "audit", "--runner", runner, label),
        ],
        cwd=corpus.folder,
        env=own_variables({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    while not (corpus.folder / "hangs").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    test = r"\S+test_c_has_no_end"
    assert re.search(rf"When it was interrupted, {test} had run for \d+\.\d s\.", out)
    assert "'lock' in cache 'default'" in out
    # Of the last one nothing is recorded when pytest is interrupted.
    assert re.search(r"^[23] tests in \d+\.\d s: 1 conflict", out, re.MULTILINE)
    report = report_of(corpus)
    assert (report["interrupted"], len(report["conflicts"])) == (True, 1)
    assert report["runs"][0]["seconds"] > 0


RUNNING = """\
from pathlib import Path
from django.test import SimpleTestCase


class RunningTests(SimpleTestCase):
    def test_runs(self):
        Path("ran").touch()
"""


def test_a_module_that_can_not_be_imported_is_named(corpus):
    (corpus.folder / "shop" / "test_broken.py").write_text("def (")
    (corpus.folder / "shop" / "test_broken_after.py").write_text(RUNNING)
    done = audit(corpus, "--runner", "django", "shop")
    assert done.code == 4
    # Not one test is run before that.
    assert not (corpus.folder / "ran").exists()
    assert "These can't be imported: shop.test_broken (SyntaxError: " in done.err


def test_under_pytest_too_a_module_that_can_not_be_imported_is_named(corpus):
    (corpus.folder / "shop" / "test_broken.py").write_text("import nothing_there")
    done = audit(corpus, "--runner", "pytest", "shop")
    assert done.code == 4
    found = "shop/test_broken.py: ModuleNotFoundError: No module named 'nothing_there'."
    assert f"The suite can't be run: {found}" in done.err


def test_what_was_read_is_kept_when_nothing_can_be_put_to_the_test(corpus):
    settings = next(corpus.folder.glob("*/settings.py"))
    refusing = "import os\nassert 'CI_CACHE_ISOLATION_FORKS' not in os.environ, 'no'\n"
    settings.write_text(settings.read_text() + refusing)
    done = audit(corpus, "--runner", "django", "shop.test_bulk")
    assert (done.code, "AssertionError: no" in done.err) == (4, True), done.err
    assert "Traceback" not in done.err
    assert report_of(corpus)["conflicts"]


def test_a_suite_that_uses_no_cache_is_clean(tmp_path):
    small = copied("small", tmp_path)
    done = audit(small, "--runner", "django", "cases.test_clean")
    assert (done.code, done.err) == (0, "")
    assert "0 conflicts" in done.out
