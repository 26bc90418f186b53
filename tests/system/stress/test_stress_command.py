"""``cache-isolation stress`` and ``replay``, as users run them."""

import json
import os
import re
import signal
import sys
import time

import pytest

from tests.commands import copied

RUNNERS = ["django", "pytest"]
CACHE_TEST = {
    "django": "cases.test_leaking.CacheTests.test_a_reads",
    "pytest": "cases/test_leaking.py::CacheTests::test_a_reads",
}
MODULE_TEST = {
    "django": "cases.test_leaking.ModuleTests.test_a_reads",
    "pytest": "cases/test_leaking.py::ModuleTests::test_a_reads",
}


ORDER = ".cache-isolation/stress/orders/001-reverse.json"
# Forward, reverse, and each test twice.
FEW = ("--orders", 0, "--split", 0)
REPLAY = ("-m", "ci_cache_isolation", "replay")
in_one_worker = pytest.mark.xdist_group("test_stress_command")


@pytest.fixture
def small(tmp_path):
    return copied("small", tmp_path)


def label(runner, name):
    return f"cases.{name}" if runner == "django" else f"cases/{name}.py"


def stress(project, runner, name, *options, **environment):
    """Run ``stress``. Its processes have the hash seed of those that are prepared."""
    seeded = ("--seed", 0, *options)
    return project.stress(
        "--runner", runner, *seeded, label(runner, name), **environment
    )


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(runner, marks=pytest.mark.xdist_group(f"leaking {runner}"))
        for runner in RUNNERS
    ],
)
def leaking(request, tmp_path_factory):
    """The runner, a project, and what stress said of its leaks. Not to be changed."""
    project = copied("small", tmp_path_factory.mktemp("leaking"))
    options = (*FEW, "--cache", "shared")
    done = stress(project, request.param, "test_leaking", *options)
    return request.param, project, done


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """A project whose tests were all found clean, by Django's runner."""
    project = copied("small", tmp_path_factory.mktemp("clean"))
    stress(project, "django", "test_clean", *FEW)
    return project


def switched_on(project):
    project.add_settings('TEST_RUNNER = "ci_cache_isolation.runner.IsolatedRunner"')


def with_a_runner_of_its_own(project):
    runner = (
        "from django.test.runner import DiscoverRunner\nclass Own(DiscoverRunner): pass"
    )
    (project.folder / "small" / "own_runner.py").write_text(runner)
    project.add_settings('TEST_RUNNER = "small.own_runner.Own"')


@pytest.mark.parametrize(
    ("prepare", "start"),
    [
        (
            lambda _: None,
            "python manage.py test --testrunner ci_cache_isolation.runner",
        ),
        (switched_on, "python manage.py test cases."),
        (with_a_runner_of_its_own, "cache-isolation replay "),
    ],
)
def test_no_printed_command_runs_on_the_users_own_caches(small, prepare, start):
    """One that does would leave entries there, and isolation were no cure in it."""
    prepare(small)
    options = ("--cache", "shared", *FEW)
    stress(small, "django", "test_leaking.CacheTests", *options)
    [finding] = small.report()["findings"]
    command = finding["replay"]
    assert command.removeprefix("CI_CACHE_ISOLATION_SCOPE=process ").startswith(start)
    assert small.typed(command).code == 1
    if "SCOPE=process" in command:
        cured = command.replace("SCOPE=process", "SCOPE=test")
    else:
        cured = f"{command} --cache isolated"
    assert small.typed(cured).code == 0


def findings_of(report):
    return [each["test"] for each in report["findings"]]


@pytest.mark.fresh_interpreter("every kind of run from end to end, as users start it")
def test_a_clean_suite_is_clean_in_every_kind_of_run(small):
    calls_it_clean(small, "django")


def calls_it_clean(small, runner):
    """Stress clean tests in every kind of run there is."""
    done = stress(small, runner, "test_clean", "--orders", 6, "--seed", 5)
    assert (done.code, done.err) == (0, "")
    for kind in ["forward", "reverse", "twice", r"random \d+", "split over 2"]:
        line = rf"^  ok    {kind} +3 passed, 1 skipped +\d"
        assert re.search(line, done.out, re.MULTILINE)
    assert "4 tests, 10 runs." in done.out
    assert "No test failed. At 95% confidence fewer than 25.9% of such" in done.out
    report = small.report()
    assert report["suite"] == {
        "runner": runner,
        "tests": 4,
        "settings": "small.settings",
    }
    kinds = [run["kind"] for run in report["runs"]]
    assert (kinds[:3], kinds[-1]) == (["forward", "reverse", "twice"], "split")
    assert set(kinds[3:-1]) <= {"random", "row"}
    assert {run["cache"] for run in report["runs"]} == {"isolated"}
    assert [run["processes"] for run in report["runs"]] == [1] * 9 + [2]
    # TestCase comes first, under both: 2 x 2 pairs never occur the other way round.
    assert report["pairs"]["total"] == 12
    assert report["pairs"]["unreachable"] == 4
    assert report["bound"]["clean_runs"] == 10
    assert report["failures"] == report["findings"] == []


def test_keys_are_hashed_where_it_is_asked_for(small):
    hash_keys(small, "--hash-keys")


def hash_keys(small, *asked, **variables):
    leaking = (small.folder / "cases" / "test_leaking.py").read_text()
    secret = leaking.replace('"key"', '"sesame"')
    (small.folder / "cases" / "test_secret.py").write_text(secret)
    options = (*FEW, "--cache", "shared", *asked)
    done = stress(small, "django", "test_secret", *options, **variables)
    assert (done.code, done.err) == (1, "")
    states = [each["state"] for each in small.report()["findings"]]
    [key] = [each["key"] for each in states if each["kind"] == "cache"]
    assert re.fullmatch("key#[0-9a-f]{12}", key)
    assert "sesame" not in done.out
    found = (small.folder / ".cache-isolation").rglob("*.*")
    # Tests print their own lines when they fail.
    files = [each for each in found if each.suffix != ".log"]
    assert [each for each in files if b"sesame" in each.read_bytes()] == []
    assert {"report.html", "report.json"} < {each.name for each in files}


def test_a_leak_is_judged_named_and_shown_again_by_the_printed_command(leaking):
    runner, small, done = leaking
    assert (done.code, done.err) == (1, "")
    assert "Judged: 2 victims." in done.out
    cured = "before or beside them decides about 2 tests.\nIsolation cures 1 of them: "
    assert cured in done.out
    report = small.report()
    findings = {each["test"]: each for each in report["findings"]}
    cache, module = findings.pop(CACHE_TEST[runner]), findings.pop(MODULE_TEST[runner])
    assert not findings
    for finding, cures in [(cache, True), (module, False)]:
        polluter = finding["test"].replace("test_a_reads", "test_b_writes")
        assert f"{finding['test']}: victim, passes alone and fails" in done.out
        assert f"  fails after {polluter}\n" in done.out
        assert (finding["verdict"], finding["after"]) == ("victim", [[polluter]])
        assert finding["isolation_cures"] is cures
        assert finding["proof"] == {
            "alone": "0/5",
            "after": "5/5",
            **({"isolated": "0/5"} if cures else {"isolated": "5/5", "reset": "5/5"}),
        }
    assert cache["state"]["key"] == "key"
    assert cache["message"] == "AssertionError: 1 is not None"
    assert module["state"]["name"] == "cases.test_leaking.seen"
    assert [each["key"] for each in report["conflicts"]] == ["key"]
    for failure in report["failures"]:
        assert failure["flaky"]
        assert (failure["failed_in"], failure["passed_in"]) == ([1], [0, 2])

    command = cache["replay"]
    assert f"\n    {command}\n" in done.out
    replayed = small.typed(command)
    assert replayed.code == 1
    assert "AssertionError: 1 is not None" in replayed.out + replayed.err
    assert small.typed(module["replay"]).code == 1

    # With the cure applied, or with what is said to be none.
    isolated = command.replace("SCOPE=process", "SCOPE=test")
    assert isolated != command
    assert small.typed(isolated).code == 0
    for options, tests in (
        ((), [cache["test"], module["test"]]),
        (("--cache", "isolated"), [module["test"]]),
    ):
        replayed = small.python(*REPLAY, ORDER, *options)
        assert replayed.code == 1
        failed = [f"failed: {test}" in replayed.out for test in findings_of(report)]
        assert failed == [test in tests for test in findings_of(report)]


def test_a_replay_isolates_whatever_the_shell_says(leaking):
    runner, small, _ = leaking
    off = {"CI_CACHE_ISOLATION": "off", "CI_CACHE_ISOLATION_SCOPE": "process"}
    failed = f"failed: {CACHE_TEST[runner]}"
    assert failed in small.python(*REPLAY, ORDER, **off).out
    isolated = ("--cache", "isolated")
    assert failed not in small.python(*REPLAY, ORDER, *isolated, **off).out


@in_one_worker
def test_a_replay_of_what_is_clean_says_so(clean):
    done = clean.python(*REPLAY, ORDER)
    assert done.code == 0
    assert "Ran 4 tests" in done.out


def test_the_same_seed_makes_the_same_orders(small):
    runs = []
    options = ("--orders", 2, "--split", 0, "--seed", 3)
    for _ in range(2):
        stress(small, "django", "test_clean", *options)
        folder = small.folder / ".cache-isolation" / "stress" / "orders"
        orders = sorted(folder.glob("00[0-9]-*.json"))
        runs.append([path.read_text(encoding="utf-8") for path in orders])
    assert runs[0] == runs[1]
    assert len(runs[0]) == 5


def test_a_test_that_always_fails_is_broken_and_not_flaky(small):
    calls_it_broken(small, "django")


def calls_it_broken(small, runner):
    """Stress a test that always fails."""
    done = stress(small, runner, "test_broken", *FEW)
    assert done.code == 4
    assert "test_broken: broken, fails always" in done.out
    assert "failed alone 5/5, and in every order" in done.out
    assert "Judged: 1 broken." in done.out
    [failure] = small.report()["failures"]
    assert failure["flaky"] is False
    [finding] = small.report()["findings"]
    assert (finding["verdict"], finding["after"]) == ("broken", [])
    assert small.typed(finding["replay"]).code == 1


def test_a_test_that_kills_its_process_is_named_and_spoils_its_own_run_only(small):
    spoils_its_own_run_only(small, "pytest")


def spoils_its_own_run_only(small, runner):
    """Stress a test that kills its process in one order."""
    done = stress(small, runner, "test_dying", *FEW)
    assert done.code == 1
    assert re.search(
        r"FAIL  reverse +1 failed, 1 passed; died in \S*test_a_dies ", done.out
    )
    assert re.search(r"ok    forward +2 passed", done.out)
    assert small.report()["runs"][1]["end"] == "died"
    [finding] = small.report()["findings"]
    assert finding["verdict"] == "victim"
    assert finding["message"] == "the process ended with exit code 7"
    assert finding["replay"].startswith("cache-isolation replay ")


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_test_that_kills_the_suite_in_its_own_order_is_named(small, runner):
    done = stress(small, runner, "test_dead")
    assert done.code == 4
    assert "it died in " in done.err
    assert "test_b_dies, as the process ended with exit code 7. Until " in done.err
    assert "Traceback" not in done.out + done.err


def test_a_test_that_hangs_is_named_and_ended(small, monkeypatch):
    # A minute is the least that an order is given; here the limits are the mock.
    program = (
        "from ci_cache_isolation.running import replaying;"
        "replaying._FOR_ONE_THAT_HANGS = 2;"
        "from ci_cache_isolation.stress import engine, observing;"
        "engine._SECONDS = observing.AT_LEAST_SECONDS = 0.5;"
        "from ci_cache_isolation.cli import cli; cli()"
    )
    options = ("stress", "--runner", "django", "--seed", 0, *FEW)
    done = small.python("-c", program, *options, "cases.test_hanging")
    assert done.code == 1
    assert "timed out in cases.test_hanging.HangingTests.test_a_hangs" in done.out
    assert small.report()["runs"][1]["end"] == "timed out"
    [finding] = small.report()["findings"]
    assert finding["verdict"] == "victim"
    # It would print nothing by which one could tell.
    assert finding["replay"].startswith("cache-isolation replay ")


HANGING_BESIDE = """\
import multiprocessing, os, time
from django.test import SimpleTestCase

class OneTests(SimpleTestCase):
    def test_a_waits(self):
        is_worker = multiprocessing.parent_process()
        if is_worker or os.environ.get("PYTEST_XDIST_WORKER"):
            time.sleep(600)

class OtherTests(SimpleTestCase):
    def test_b_passes(self):
        pass
"""


def split_run_that_hangs(small, runner, seconds):
    (small.folder / "cases" / "test_beside.py").write_text(HANGING_BESIDE)
    program = (
        "from ci_cache_isolation.stress import engine, observing;"
        ""
        f"engine._SECONDS = observing.AT_LEAST_SECONDS = {seconds};"
        "from ci_cache_isolation.cli import cli; cli()"
    )
    label = {"django": "cases.test_beside", "pytest": "cases/test_beside.py"}[runner]
    options = ("stress", "--runner", runner, "--seed", 0, "--orders", 0)
    done = small.python("-c", program, *options, "--split", 2, label)
    [split] = [line for line in done.out.splitlines() if " split" in line]
    assert split.startswith("  FAIL  ")
    assert re.search(r"timed out in \S+test_a_waits", split)
    [run] = [each for each in small.report()["runs"] if each["kind"] == "split"]
    assert (run["end"], len(run["failed"])) == ("timed out", 1)
    assert done.code == 1


def test_failed_set_up_of_a_class_is_judged_by_its_tests(small):
    done = stress(small, "django", "test_set_up", *FEW)
    assert done.code == 1
    [finding] = small.report()["findings"]
    assert finding["test"] == "cases.test_set_up.ATests.test_one"
    assert finding["verdict"] == "victim"
    assert finding["after"] == [["cases.test_set_up.BTests.test_two"]]
    assert small.typed(finding["replay"]).code == 1


def test_what_the_order_does_not_decide_gets_no_replay(small):
    options = ("--orders", 1, "--split", 0, "--processes", 1)
    done = stress(small, "django", "test_random", *options)
    assert done.code == 1
    assert "See " not in done.out
    assert "test_every_second_time: non-deterministic, fails by chance" in done.out
    [finding] = small.report()["findings"]
    assert (finding["verdict"], finding["replay"]) == ("non-deterministic", None)
    assert small.report()["failures"][0]["replay"] is None


COLLIDING = """\
import os, time
from pathlib import Path
from django.test import SimpleTestCase

class CollidingTests(SimpleTestCase):
    def hold(self, name):
        mine = Path(name)
        mine.write_text(str(os.getpid()))
        time.sleep(0.1)
        self.assertEqual(mine.read_text(), str(os.getpid()))

    def test_a(self):
        self.hold("a.txt")

    def test_b(self):
        self.hold("b.txt")
"""


def accuses_nobody(small, runner):
    (small.folder / "cases" / "test_colliding.py").write_text(COLLIDING)
    options = ("--orders", 6, "--split", 0, "--processes", 3, "--seed", 1)
    done = stress(small, runner, "test_colliding", *options)
    assert (done.code, done.err) == (0, ""), done.out
    report = small.report()
    assert (report["findings"], report["failures"], report["complete"]) == (
        [],
        [],
        True,
    )
    assert {len(run["failed"]) for run in report["runs"]} == {0}
    assert "non-deterministic" not in done.out
    assert "Going on with one order at a time" in done.out


def test_no_order_is_begun_when_the_time_is_over(small):
    done = stress(small, "django", "test_clean", "--minutes", 0.0001)
    # It is clean as far as it goes.
    assert (done.code, done.err) == (5, "")
    assert [run["kind"] for run in small.report()["runs"]] == ["forward"]
    assert "Planned orders were left out: the time set with --minutes" in done.out
    assert "was over at reverse." in done.out
    options = ("--minutes", 0.0001, "--allow-incomplete")
    assert stress(small, "django", "test_clean", *options).code == 0


@pytest.mark.parametrize("sent", [[signal.SIGINT], [signal.SIGTERM] * 2])
def test_an_interrupt_keeps_what_is_known_and_leaves_no_process(small, sent):
    options = ("--orders", "0", "--runner", "django", "--split", "0", "--seed", "0")
    process = small.started(*options, "cases.test_hanging")
    while not (small.folder / "pid").exists():
        assert process.poll() is None
        time.sleep(0.05)
    for each in sent:
        os.kill(process.pid, each)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert "Interrupted: what follows is what was known until then." in out
    test = re.escape("cases.test_hanging.HangingTests.test_a_hangs")
    assert re.search(rf"When it was interrupted, {test} had run for \d+\.\d s\.", out)
    assert "No test failed until then." in out
    report = small.report()
    assert report["interrupted"] is True
    assert {run["kind"] for run in report["runs"]} - {"twice"} == {"forward"}
    with pytest.raises(ProcessLookupError):
        os.kill(int((small.folder / "pid").read_text()), 0)
    assert small.at_work() == []


@pytest.mark.parametrize("runner", RUNNERS)
def test_settings_that_do_not_import_are_said_to(small, runner):
    done = stress(small, runner, "test_clean", DJANGO_SETTINGS_MODULE="no.such")
    assert (done.code, done.out.count("\n")) == (4, 2)
    assert "No module named 'no'" in done.err
    assert "Run python " in done.err
    assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize("runner", RUNNERS)
def test_no_tests_is_nothing_ran(small, runner):
    done = small.stress("--runner", runner, "--", "-k", "no_such_test")
    assert done.code == 3
    assert done.err.startswith("cache-isolation: No tests were found, so there is ")
    assert "-k no_such_test. Name labels" in done.err


@pytest.mark.parametrize("runner", RUNNERS)
def test_tests_that_do_not_load_are_said_to(small, runner):
    path = small.folder / "cases" / "test_unloadable.py"
    path.write_text("import no_such_module")
    done = stress(small, runner, "test_unloadable")
    assert done.code == 4
    assert "test_unloadable" in done.err or "no_such_module" in done.err
    assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--no-such-option"], "No such option"),
        (["--orders", "many"], "'many' is not a valid integer range"),
        (["--orders", "-1"], "-1 is not in the range x>=0"),
        (["--processes", "0"], "0 is not in the range x>=1"),
        (["--cache", "both"], "'both' is not one of 'isolated', 'shared'"),
        (["--runner", "nose"], "'nose' is not one of 'auto', 'django', 'pytest'"),
        (["--minutes", "0"], "0.0 is not in the range x>0"),
        (["--report", "manage.py"], "Directory 'manage.py' is a file"),
        (["--report", "manage.py/x"], "The report can't be written to manage.py/x"),
    ],
)
def test_bad_options_are_usage_errors(small, arguments, message):
    done = small.stress(*arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.out + done.err


def test_a_word_that_is_neither_on_nor_off_is_a_usage_error(small):
    done = small.stress(CI_CACHE_ISOLATION="perhaps")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "cache-isolation: environment CI_CACHE_ISOLATION is 'perhaps', which is "
        "neither on nor off. Isolation must not be guessed: what you test would "
        "depend on it. Set it to 'on' or 'off', or leave it out.\n"
    )


def test_a_file_that_is_no_order_is_a_usage_error(small):
    done = small.python(*REPLAY, "manage.py")
    assert done.code == 2
    assert done.err.startswith("cache-isolation: manage.py holds no recorded order")


def recorded(project, folder, **changes):
    """Change the order that a run has recorded, into a file of its own there."""
    values = json.loads((project.folder / ORDER).read_text(encoding="utf-8"))
    file = folder / "order.json"
    file.write_text(json.dumps(values | changes), encoding="utf-8")
    return file


@in_one_worker
@pytest.mark.parametrize("is_exact", [True, False])
def test_a_replay_names_the_tests_that_no_longer_exist(clean, tmp_path, is_exact):
    gone = "cases.test_clean.Tests.test_gone"
    file = recorded(clean, tmp_path, order=[gone], is_exact=is_exact)
    done = clean.python(*REPLAY, file)
    assert done.code == 2
    assert done.err.endswith(
        f"cache-isolation: 1 test of the order no longer exists: {gone}. Without them "
        "it says nothing of what was recorded. Record a new one with 'cache-isolation "
        "stress'.\n"
    )


@in_one_worker
def test_a_replay_leaves_no_files_and_says_what_becomes_of_the_caches(clean):
    folder = (clean.folder / ORDER).parent
    before = sorted(folder.iterdir())
    for options, sections in (
        ((), "each test in sections of its own: "),
        (("--cache", "shared"), "sections shared by all tests: "),
    ):
        done = clean.python(*REPLAY, ORDER, *options)
        assert f"Replaying reverse, cache isolation on, {sections}" in done.out
        assert "Cache isolation: on (" in done.out
    assert sorted(folder.iterdir()) == before


@in_one_worker
@pytest.mark.parametrize(
    ("runner", "found"),
    [
        ("django", " before accessing settings"),
        ("pytest", ": ERROR: file or directory not found: cases/test_clean.py"),
    ],
)
def test_a_replay_in_a_subfolder_says_where_to_go(clean, tmp_path, runner, found):
    labels = [label(runner, "test_clean")]
    file = recorded(clean, tmp_path, runner=runner, labels=labels)
    below = type(clean)(clean.folder / "cases")
    done = below.python(*REPLAY, file)
    assert done.code == 4
    assert ".." not in done.err
    assert done.err.endswith(
        f"{found}. It needs the folder and the settings that it was recorded with. "
        f"Go to {clean.folder} first: this is {below.folder}.\n"
    )


def test_nothing_to_run_is_a_usage_error(tmp_path, small):
    folder = tmp_path / "empty"
    folder.mkdir()
    done = type(small)(folder).stress()
    assert done.code == 2
    assert "empty holds no manage.py, " in done.err


def test_off_in_the_environment_means_shared_and_the_option_beats_it(small):
    off = {"CI_CACHE_ISOLATION": "off"}
    assert stress(small, "django", "test_leaking", *FEW, **off).code == 1
    assert len(small.report()["failures"]) == 2
    stress(small, "django", "test_leaking", *FEW, "--cache", "isolated", **off)
    assert len(small.report()["failures"]) == 1


@pytest.mark.fresh_interpreter("what is imported when is its subject")
def test_the_commands_say_what_they_need_where_it_is_missing(small):
    hidden = (
        "import sys; sys.modules['click'] = None;"
        "from ci_cache_isolation.__main__ import main; main()"
    )
    done = small.python("-c", hidden, "stress")
    assert done.code == 4
    assert done.err == (
        f"cache-isolation needs click, which is not installed in {sys.executable}. "
        "Isolation works without it, the commands do not. Install it with: "
        "python -m pip install 'ci-cache-isolation[stress]'\n"
    )


@pytest.mark.fresh_interpreter("what is imported when is its subject")
@pytest.mark.parametrize("at", ["rich.console", "ci_cache_isolation.report"])
def test_an_interrupt_while_the_command_starts_is_one_too(small, at):
    interrupting = f"""if True:
        import signal, sys
        class Finder:
            def find_spec(self, name, path, target=None):
                if name == {at!r}:
                    signal.raise_signal(signal.SIGINT)
        sys.meta_path.insert(0, Finder())
        from ci_cache_isolation.__main__ import main
        main()
    """
    done = small.python("-c", interrupting, "doctor")
    assert (done.code, done.out, done.err) == (130, "", "")


def test_a_fork_is_to_tests_what_a_process_of_their_own_is(small):
    (small.folder / "cases" / "test_forked.py").write_text(
        "import gc\n"
        "class Own: pass\n"
        "own = Own()\n"
        "def add(one, other):\n"
        '    """\n'
        "    >>> add(1, 2)\n"
        "    3\n"
        '    """\n'
        "    return one + other\n"
        "def test_finds_what_was_there_before():\n"
        "    assert any(each is own for each in gc.get_objects())\n"
    )
    options = ("--orders", 2, "--split", 0, "--seed", 0)
    labels = ("--", "--doctest-modules", "cases/test_forked.py")
    done = small.stress("--runner", "pytest", *options, *labels)
    assert (done.code, done.err) == (0, ""), done.out
    assert "2 tests, 5 runs." in done.out


def test_orders_that_are_in_each_others_way_are_told_of_and_run_one_at_a_time(small):
    (small.folder / "cases" / "test_port.py").write_text(
        "import socket, time\n"
        "from django.test import SimpleTestCase\n"
        "class PortTests(SimpleTestCase):\n"
        "    def test_serves(self):\n"
        "        with socket.create_server(('localhost', 0)) as free:\n"
        "            port = free.getsockname()[1]\n"
        f"        path = {str(small.folder / 'port')!r}\n"
        "        try:\n"
        "            port = int(open(path).read())\n"
        "        except FileNotFoundError:\n"
        "            open(path, 'w').write(str(port))\n"
        "        with socket.create_server(('localhost', port)):\n"
        "            time.sleep(0.25)\n"
    )
    options = (*FEW, "--seed", 0, "--runner", "django", "cases.test_port")
    done = small.stress(*options, "--processes", 2)
    assert (done.code, done.err) == (0, ""), done.out
    assert "1 test failed while other orders ran beside, and never with" in done.out
    assert "These orders collide, at a server's database, a file or a port" in done.out
    assert "--processes 1" in done.out
    done = small.stress(*options, "--processes", 1)
    assert (done.code, done.err) == (0, ""), done.out


def test_a_package_that_skips_itself_is_no_failure(small):
    package = small.folder / "cases" / "needs"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import unittest\n"
        "def load_tests(loader, tests, pattern):\n"
        "    raise unittest.SkipTest('there is no such server')\n"
    )
    options = ("--runner", "django", "cases.needs", "cases.test_clean")
    done = small.stress(*FEW, "--seed", 0, *options)
    assert (done.code, done.err) == (0, ""), done.out
    assert "4 tests, 3 runs." in done.out
    audited = small.python("-m", "ci_cache_isolation", "audit", *options)
    assert (audited.code, audited.err) == (0, ""), audited.out


def test_a_hostile_test_id_does_nothing_to_the_terminal(small):
    path = small.folder / "cases" / "test_hostile.py"
    path.write_text(
        "import pytest\n"
        "class Id(str): pass\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, id='[red]<b>\\x1b[31m')])\n"
        "def test_it(x): assert False\n"
        "def test_fine(): pass\n"
    )
    done = stress(small, "pytest", "test_hostile", *FEW)
    assert "cases/test_hostile.py::test_it[[red]<b>\\x1b[31m]: broken" in done.out
    assert "\x1b" not in done.out + done.err
    assert json.dumps(small.report())


def test_every_order_meets_the_same_random_numbers(small):
    options = ("--orders", 2, "--split", 0, "--seed", 1)
    stress(small, "pytest", "test_seeded", *options)
    # They decide it, and are the same everywhere: so it fails always, or never.
    verdicts = [each["verdict"] for each in small.report()["findings"]]
    assert verdicts in ([], ["broken"])


def test_an_order_that_is_replayed_meets_the_random_numbers_of_its_run(small):
    seen = set()
    for seed in range(8):
        report = f"at-{seed}"
        options = (*FEW, "--seed", seed, "--report", report)
        done = stress(small, "pytest", "test_seeded", *options)
        order = f"{report}/orders/001-reverse.json"
        replayed = small.python(*REPLAY, order)
        has_failed = "FAIL" in done.out
        assert replayed.code == has_failed
        seen.add(has_failed)
        if len(seen) == 2:
            break
    assert seen == {True, False}


def test_an_order_runs_in_one_process_also_where_options_ask_for_workers(small):
    options = (*FEW, "--seed", 0, "--runner", "pytest", "--")
    done = small.stress(*options, "-n", "2", "cases/test_clean.py")
    assert (done.code, done.err) == (0, "")
    assert small.report()["suite"]["tests"] == 4


@in_one_worker
def test_a_replay_from_another_folder_says_what_it_needs(clean):
    elsewhere = type(clean)(clean.folder / "cases")
    done = elsewhere.python(*REPLAY, f"../{ORDER}")
    assert done.code == 4
    assert "It needs the folder and the settings that" in done.err
    assert "Traceback" not in done.out + done.err
