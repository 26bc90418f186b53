"""``cache-isolation stress --resume``: what was run is not run again."""

import json
import os
import signal
import time

import pytest

from tests.commands import copied

# It goes on so many times and no more, where the environment says so.
SLOW = """
import os, time
from django.test import SimpleTestCase

class SlowTests(SimpleTestCase):
    def test_slow(self):
        with open("ran", "ab", buffering=0) as file:
            file.write(b".")
            number = file.tell()
        while number > int(os.environ.get("SMALL_MOST", "1000000")):
            time.sleep(0.01)
"""
OPTIONS = ("--runner", "django", "--cache", "shared", "--seed", "0", "--orders", "5")
LABELS = ("cases.test_leaking", "cases.test_slow")
RESUMING = "Resuming: {} known already.\n"


@pytest.fixture
def small(tmp_path):
    project = copied("small", tmp_path)
    (project.folder / "cases" / "test_slow.py").write_text(SLOW)
    return project


def run_file(project, report=".cache-isolation/stress"):
    return project.folder / report / "orders" / "runs.jsonl"


def ended(project):
    path = run_file(project)
    return path.read_text().count('\n{"step": ') if path.exists() else 0


def come_to(document):
    """Return what must not depend on whether the run was interrupted."""
    runs = [{**run, "seconds": 0} for run in document["runs"]]
    findings = {
        each["test"]: (each["verdict"], each["after"], each["proof"])
        for each in document["findings"]
    }
    return runs, document["pairs"], findings, document["failures"]


def wait_for(process, claim):
    while not claim():
        assert process.poll() is None
        time.sleep(0.02)


def test_a_killed_run_comes_to_what_an_unbroken_one_does(small):
    unbroken = small.stress(*OPTIONS, "--report", "unbroken", *LABELS)
    assert (unbroken.code, unbroken.err) == (1, "")
    expected = json.loads((small.folder / "unbroken" / "report.json").read_text())

    (small.folder / "ran").unlink()
    # One of the runs has each test twice.
    slowly = {"SMALL_MOST": "6"}
    process = small.started(*OPTIONS, "--processes", "2", *LABELS, **slowly)
    wait_for(process, lambda: ended(small) >= 5)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    known = ended(small)
    assert known == 5
    assert not run_file(small).with_name("report.json").exists()

    done = small.typed("cache-isolation stress --resume")
    assert (done.code, done.err) == (1, "")
    assert RESUMING.format(f"{known} runs are") in done.out
    assert done.out.count("\n  ok ") + done.out.count("\n  FAIL ") == 9 - known
    document = small.report()
    assert come_to(document) == come_to(expected)
    assert len(come_to(document)[2]) == 2
    orders = run_file(small).parent.glob("[0-9][0-9][0-9]-*.json")
    assert len(list(orders)) == 9
    assert ended(small) == 9


def test_what_was_judged_stays_judged_and_is_not_judged_again(small):
    options = ("--runner", "django", "--cache", "shared", "--orders", "2")
    done = small.stress(*options, "--seed", "0", "--split", "0", LABELS[0])
    assert (done.code, done.err) == (1, "")
    first = small.report()
    # There is no time for anything else.
    done = small.stress("--resume", "--minutes", "0.001")
    assert (done.code, done.err) == (1, "")
    again = small.report()
    assert come_to(again) == come_to(first)
    assert not again["complete"] or again == first
    for before, after in zip(first["findings"], again["findings"], strict=True):
        assert after["cost"] == before["cost"]


def test_the_command_that_is_printed_after_an_interrupt_goes_on(small):
    options = ("--runner", "django", "--orders", "0", "--report", "a folder")
    slowly = {"SMALL_MOST": "1"}
    process = small.started(
        *(*options, "--seed", "0", "--processes", "1", *LABELS), **slowly
    )
    wait_for(process, run_file(small, "a folder").exists)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    command = "cache-isolation stress --resume --report 'a folder'"
    assert out.endswith(f"\nTo go on from here: {command}\n")
    done = small.typed(command)
    # The one that isolation does not cure.
    assert (done.code, done.err) == (1, "")
    document = json.loads((small.folder / "a folder" / "report.json").read_text())
    kinds = [run["kind"] for run in document["runs"]]
    assert kinds == ["forward", "reverse", "twice", "split"]
    assert "To go on" not in done.out


def test_an_interrupt_before_the_first_run_ended_has_nothing_to_go_on_from(small):
    process = small.started(*OPTIONS, *LABELS, SMALL_MOST="0")
    wait_for(process, (small.folder / "ran").exists)
    os.kill(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "To go on" not in out
    done = small.stress("--resume")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(
        "cache-isolation: .cache-isolation/stress/orders/runs.jsonl holds no run that "
        "could be resumed (No such file or directory). "
    )


def test_a_finished_run_is_made_longer_or_judged_again(small):
    label = "cases.test_leaking.CacheTests"
    options = (*OPTIONS[:-1], "2")
    small.stress(*options, "--report", "longer", label)
    longer = json.loads((small.folder / "longer" / "report.json").read_text())
    small.stress(*OPTIONS[:-1], "1", label)
    done = small.stress("--resume", "--orders", "2")
    assert (done.code, done.err) == (1, "")
    assert RESUMING.format("5 runs are") in done.out
    assert done.out.count("\n  ok ") + done.out.count("\n  FAIL ") == 1
    assert come_to(small.report()) == come_to(longer)

    again = small.stress("--resume")
    assert (again.code, again.err) == (1, "")
    assert RESUMING.format("6 runs are") in again.out
    assert "\n  ok " not in again.out
    assert "\n  FAIL " not in again.out
    assert come_to(small.report()) == come_to(longer)


def test_what_contradicts_is_a_usage_error_and_changes_nothing(small):
    options = ("--orders", "0", "--split", "0", "--seed", "0", "--runner", "django")
    small.stress(*options, "cases.test_clean")
    report, text = small.report(), run_file(small).read_text()

    def refused(found, *arguments):
        done = small.stress("--resume", *arguments)
        assert done.code == 2
        assert found in done.err
        assert "What was seen there says nothing of what would be run" in done.err
        assert (small.report(), run_file(small).read_text()) == (report, text)
        return done.out

    assert refused("--seed is '0' there, and '8' here", "--seed", "8") == ""
    assert refused("--cache is 'isolated' there", "--cache", "shared") == ""
    assert refused("--shard is '1/1' there", "--shard", "1/2") == ""
    assert refused("the list of labels is 'cases.test_clean'", "cases") == ""
    assert refused("--runner is 'django' there", "--runner", "pytest") == ""
    path = small.folder / "cases" / "test_clean.py"
    path.write_text(path.read_text().replace("test_three", "test_another"))
    assert "Resuming: 3 runs" in refused("the suite is '4 tests, ")


def test_without_forks_it_goes_on_too(small):
    off = {"CI_CACHE_ISOLATION_FORK": "off"}
    options = ("--split", "0", "--runner", "django", "--seed", "0")
    small.stress(*options, "--orders", "0", "cases.test_clean", **off)
    done = small.stress("--resume", "--orders", "1", **off)
    assert (done.code, done.err) == (0, "")
    assert RESUMING.format("3 runs are") in done.out
    assert [run["index"] for run in small.report()["runs"]] == [0, 1, 2, 3]


def test_a_shard_goes_on_as_that_shard(small):
    shard = ("--shard", "2/2", "--seed", "0", "--split", "0", "--runner", "django")
    small.stress(*shard, "--orders", "2", "cases.test_clean")
    done = small.stress("--resume", "--orders", "4")
    assert (done.code, done.err) == (0, "")
    document = small.report()
    assert document["shard"] == "2/2"
    assert [run["index"] for run in document["runs"]] == [0, 2, 4, 6]
