"""The process that is set up once and forks, on a real project, under both runners."""

import json
import os
import re
import signal
import sys
from contextlib import closing

import pytest

from ci_cache_isolation.running.forking import why_unsafe
from ci_cache_isolation.running.forks import (
    End,
    Forked,
    ForkServerError,
    Job,
    NotLoadedError,
    SectionMode,
)
from ci_cache_isolation.running.runners import runner_named
from tests.served import Served, eventually, in_session_of, ran
from tests.servers import running as running_server

pytestmark = [
    pytest.mark.usefixtures("nothing_of_this_run"),
]

BACKENDS = "django.core.cache.backends"
LEAKING = ["MemoryTests", "FileTests", "TableTests", "ServerTests"]


@pytest.mark.parametrize("kind", LEAKING)
def test_a_pair_leaks_in_a_shared_section_and_only_there(running, kind):
    tests = f"leaks.{kind}.test_writes", f"leaks.{kind}.test_reads"
    shared = ran(running, *tests)
    assert (shared.end, shared.last) == (End.FINISHED, "failed")
    assert shared.outcomes[running.id(tests[0])] == "passed"
    assert shared.message == "AssertionError: 1 is not None"
    isolated = ran(running, *tests, sections=SectionMode.ISOLATED)
    assert (isolated.end, isolated.last, isolated.message) == (
        *(End.FINISHED, "passed", ""),
    )
    assert ran(running, tests[1]).last == "passed"


def test_what_is_no_cache_leaks_in_isolated_sections_too(running):
    tests = "leaks.GlobalTests.test_writes", "leaks.GlobalTests.test_reads"
    for sections in (SectionMode.SHARED, SectionMode.ISOLATED):
        assert ran(running, *tests, sections=sections).last == "failed"
    assert ran(running, tests[1]).last == "passed"


def test_the_order_is_the_job_s(running):
    tests = (
        *("leaks.MemoryTests.test_reads", "leaks.NoteTests.test_two"),
        *("leaks.CommittedTests.test_two", "leaks.NoteTests.test_one"),
        *("leaks.ServerTests.test_reads", "leaks.CommittedTests.test_one"),
    )
    for order in (tests, tests[::-1]):
        forked = ran(running, *order)
        assert list(forked.outcomes) == [running.id(test) for test in order]
        assert set(forked.outcomes.values()) == {"passed"}


def test_a_test_may_meet_itself(running):
    for test in ("bad.SetUpTests.test_one", "leaks.NoteTests.test_one"):
        assert ran(running, *[test] * 3).outcomes == {running.id(test): "passed"}
    twice = ["bad.BadTests.test_adds"] * 2
    assert ran(running, *twice).message == "AssertionError: False is not true"
    assert ran(running, *twice, sections=SectionMode.ISOLATED).last == "passed"


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("test_exits", "the process ended with exit code 3"),
        ("test_is_killed", "the process was killed by SIGSEGV"),
        # What becomes of it can't be told any more.
        ("test_closes_everything", "the process ended with exit code 1"),
    ],
)
def test_a_process_that_dies_has_failed_in_its_test(running, test, message):
    tests = "bad.BadTests.test_sound", f"bad.BadTests.{test}"
    forked = ran(running, *tests)
    assert (forked.end, forked.last, forked.message) == (End.DIED, "failed", message)
    assert forked.outcomes[running.id(tests[0])] == "passed"
    # And so has none behind it.
    forked = ran(running, *tests[::-1])
    assert (forked.end, forked.last) == (End.DIED, None)
    assert forked.outcomes == {running.id(tests[1]): "failed"}


@pytest.mark.parametrize(
    "test",
    [
        *("test_closes_output", "test_prints_binary", "test_forks_and_goes_on"),
        "test_leaves_a_process",
    ],
)
def test_what_a_test_does_to_its_process_harms_nobody(running, test):
    tests = f"bad.BadTests.{test}", "bad.BadTests.test_sound"
    forked = ran(running, *tests)
    assert forked.end is End.FINISHED
    assert forked.outcomes == dict.fromkeys(map(running.id, tests), "passed")
    alone = [running.running.pid]
    assert eventually(lambda: in_session_of(running.running.pid) == alone)


@pytest.mark.parametrize(
    ("test", "outcome", "message"),
    [
        ("BadTests.test_skipped", "skipped", ""),
        ("BadTests.test_fails_in_a_sub_test", "failed", "AssertionError: 1 != 2"),
        ("BadTests.test_leaves_by_an_exception", "failed", "SystemExit"),
        ("NotSetUpTests.test_one", "failed", "ValueError: setting up"),
        ("TornDownTests.test_one", "failed", "ValueError: tearing down"),
        ("SetUpTests.test_one", "passed", ""),
    ],
)
def test_outcomes(running, test, outcome, message):
    forked = ran(running, f"bad.{test}")
    assert (forked.end, forked.last) == (End.FINISHED, outcome)
    assert forked.message.endswith(message)
    assert bool(forked.message) is bool(message)


def test_fixtures_of_a_class_are_set_up_again_when_it_comes_back(running):
    tests = "bad.SetUpTests.test_one", "bad.BadTests.test_sound"
    forked = ran(running, *tests, "bad.NotSetUpTests.test_two", tests[0])
    assert list(forked.outcomes.values()) == ["passed", "passed", "failed"]
    assert forked.last == "passed"


def test_a_test_that_is_unknown_is_refused_before_anything_is_sent(running):
    good = running.job("bad.BadTests.test_sound")
    for bad in (Job(("no.such.test",)), Job(())):
        with pytest.raises(ValueError, match="a job names "):
            list(running.running.run([bad]))
    # What was sent before it is stopped; and the server is as it was.
    with pytest.raises(ValueError, match=re.escape("['no.such.test']")):
        list(running.running.run([good, Job(("no.such.test",))]))
    assert [each.last for each in running.running.run([good, good])] == ["passed"] * 2


def test_jobs_are_taken_when_there_is_room(running):
    taken = []

    def jobs():
        for number in range(6):
            taken.append(number)
            yield running.job("bad.BadTests.test_sound")

    ended = running.running.run(jobs())
    next(ended)
    assert taken == [0, 1]
    next(ended)
    assert taken == [0, 1, 2]
    ended.close()
    assert taken == [0, 1, 2]
    assert len(list(running.running.run(jobs()))) == 6


def test_a_run_that_is_left_early_is_stopped(running):
    hanging = running.job("bad.BadTests.test_hangs")
    sound = running.job("bad.BadTests.test_sound")
    ended = running.running.run([hanging, sound])
    assert next(ended).job == sound
    ended.close()
    # One that hung would stand in the way of what two processes are needed for.
    tests = [running.job("bad.TestsAtOnce.test_meets")] * 2
    assert [each.last for each in running.running.run(tests)] == ["passed"] * 2


def test_fixtures_of_pytest_have_their_scopes(tmp_path):
    served = Served(tmp_path, "pytest")
    tests = [f"functions.test_{name}" for name in ("deletes", "reads")]
    with served.server() as served.running:
        shared = ran(served, *tests)
        assert (shared.last, shared.message) == (
            *("failed", "AssertionError: assert None == 1"),
        )
        assert ran(served, *tests, sections=SectionMode.ISOLATED).last == "passed"
        assert ran(served, tests[1]).last == "passed"
        forked = ran(
            *(served, "functions.test_fails_as_expected"),
            *["functions.test_with_database"] * 2,
        )
        assert set(forked.outcomes.values()) == {"passed"}
    assert served.left() == []
    assert not (served.project / "of-session").exists()


def test_fifty_jobs_leave_nothing_behind(served, redis_server):
    redis = redis_server.client()
    redis.flushall()
    environment = {
        "PAIRS_BACKEND": f"{BACKENDS}.redis.RedisCache",
        "PAIRS_LOCATION": redis_server.location,
    }
    jobs = [
        served.job(
            *(f"leaks.{kind}.test_writes", f"leaks.{kind}.test_reads"),
            sections=(SectionMode.SHARED, SectionMode.ISOLATED)[number % 2],
        )
        for number, kind in enumerate((LEAKING * 13)[:50])
    ]
    with served.server(**environment) as server:
        assert server.remark == ""
        ended = list(server.run(jobs))
    assert sorted(each.job.tests for each in ended) == sorted(
        each.tests for each in jobs
    )
    for each in ended:
        assert each.end is End.FINISHED
        isolated = each.job.sections is SectionMode.ISOLATED
        assert each.last == ("passed" if isolated else "failed"), each
    assert in_session_of(server.pid) == []
    assert served.left() == []
    assert redis.keys() == []
    redis.close()


@pytest.mark.parametrize("served", ["pytest"], indirect=True)
def test_what_dies_or_hangs_spoils_itself_only(served, redis_server):
    spoil_themselves_only(served, redis_server)


def spoil_themselves_only(served, redis_server):
    """Run a job that exits and one that hangs beside sound ones."""
    redis = redis_server.client()
    redis.flushall()
    environment = {
        "PAIRS_BACKEND": f"{BACKENDS}.redis.RedisCache",
        "PAIRS_LOCATION": redis_server.location,
    }
    sound = served.job("leaks.ServerTests.test_writes", "leaks.NoteTests.test_one")
    hanging = served.job("bad.BadTests.test_sound", "bad.BadTests.test_hangs")
    jobs = [sound, hanging, served.job("bad.BadTests.test_exits"), *[sound] * 5]
    with served.server(seconds=3, **environment) as server:
        ended = list(server.run(jobs))
    assert len(ended) == len(jobs)
    for each in ended:
        if each.job == sound:
            assert (each.end, each.last) == (End.FINISHED, "passed")
        elif each.job == hanging:
            assert (each.end, each.last) == (End.TIMED_OUT, "failed")
            assert each.message == "no end within 3 s"
            assert 3 <= each.seconds < 30
        else:
            assert each.end is End.DIED
    assert in_session_of(server.pid) == []
    assert served.left() == []
    assert redis.keys() == []
    redis.close()


@pytest.fixture
def own_server(request):
    """A server on which nothing is: memcached counts what was flushed long after."""
    with running_server(request.param) as server:
        yield server


# tests/exhaustive has each under the other runner.
@pytest.mark.parametrize(
    ("served", "own_server", "backend"),
    [
        ("django", "redis", f"{BACKENDS}.redis.RedisCache"),
        ("pytest", "redis", "django_redis.cache.RedisCache"),
        ("pytest", "memcached", f"{BACKENDS}.memcached.PyMemcacheCache"),
        ("django", "memcached", f"{BACKENDS}.memcached.PyLibMCCache"),
    ],
    indirect=["served", "own_server"],
)
def test_forks_at_once_do_not_meet_on_a_server(served, own_server, backend):
    do_not_meet(served, own_server, backend)


def do_not_meet(served, own_server, backend):
    """Run jobs at once on a server that nobody else uses; none sees another's."""
    environment = {"PAIRS_BACKEND": backend, "PAIRS_LOCATION": own_server.location}
    meets = served.job("bad.TestsAtOnce.test_meets")
    held = served.job("leaks.HeldTests.test_reads", "leaks.HeldTests.test_writes")
    with served.server(**environment) as running:
        # The cache that is held was asked before the fork.
        ended = list(running.run([meets, meets, *[held] * 10]))
    assert {each.last for each in ended} == {"passed"}
    with closing(own_server.client()) as client:
        if own_server.kind == "redis":
            assert client.keys() == []
        else:
            assert client.stats()[b"curr_items"] == 0


def test_without_a_database_forks_run_at_once(served):
    label = "leaks.test_bad" if served.runner == "django" else "leaks/test_bad.py"
    database = {"ENGINE": "django.db.backends.dummy"}
    with served.server(label, PAIRS_DATABASE=json.dumps(database)) as server:
        assert server.remark == ""
        jobs = [served.job("bad.TestsAtOnce.test_meets")] * 2
        assert [each.last for each in server.run(jobs)] == ["passed"] * 2


def test_a_server_that_is_killed_is_an_error_and_takes_its_forks_along(served):
    with served.server() as server:
        hanging = served.job("bad.BadTests.test_hangs")
        sound = served.job("bad.BadTests.test_sound")
        ended = server.run([hanging, *[sound] * 2])
        next(ended)
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ForkServerError, match="ended too early: it was killed by"):
            list(ended)
        with pytest.raises(ForkServerError, match="SIGKILL"):
            list(server.run([sound]))
    assert eventually(lambda: in_session_of(server.pid) == [])


def test_the_server_ends_when_the_client_is_gone(served):
    with served.server() as server:
        ended = server.run([served.job("bad.BadTests.test_hangs")] * 2)
        server._socket.shutdown(2)
        assert server._process.wait(60) == 0
        with pytest.raises(ForkServerError, match=r"exit code 0|Destroying|passed"):
            next(ended)
    assert served.left() == []


def test_modules_that_can_not_be_imported_are_all_named_with_their_reasons(served):
    for name, source in {"one": "import no_such_module", "two": "def ("}.items():
        (served.project / "leaks" / f"test_{name}.py").write_text(source)
    server = served.server("leaks")
    with pytest.raises(NotLoadedError) as caught, server:
        pass
    message = str(caught.value)
    assert message.startswith("These can't be imported: ")
    first = "(ModuleNotFoundError: No module named 'no_such_module')"
    assert re.search(rf"leaks.test_one\S* {re.escape(first)}, leaks.test_two", message)
    assert re.search(r"leaks.test_two\S* \(SyntaxError: .*\)\. A suite", message)
    assert message.endswith(f" is in {served.out}/fork-server.log.")
    assert in_session_of(server.pid) == []


@pytest.mark.parametrize(
    ("label", "source", "environment", "found"),
    [
        ("broken", "", {}, "no tests were found"),
        (
            *("leaks", "", {"DJANGO_SETTINGS_MODULE": "no_such_settings"}),
            "No module named 'no_such_settings'",
        ),
        (
            *("leaks", "", {"PAIRS_DATABASE": '{"ENGINE": "no_such_engine"}'}),
            "'no_such_engine' isn't an available database backend",
        ),
    ],
)
def test_why_it_can_t_start_is_said(served, label, source, environment, found):
    (served.project / "broken").mkdir()
    (served.project / "broken" / "__init__.py").touch()
    (served.project / "broken" / "test_broken.py").write_text(source)
    server = served.server(label)
    server._environment |= environment
    with pytest.raises(ForkServerError) as caught, server:
        pass
    message = str(caught.value)
    assert message.startswith("The process that forks to run tests could not start: ")
    assert found in message
    assert "Without it nothing can be run again to be judged. Run 'python" in (
        message.replace("Run python", "Run 'python")
    )
    assert message.endswith(
        f"what this one printed is in {served.out}/fork-server.log."
    )
    assert in_session_of(server.pid) == []


def test_a_database_that_is_missing_is_said(served, tmp_path):
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "pairs",
        "HOST": str(tmp_path),
    }
    server = served.server(PAIRS_DATABASE=json.dumps(database))
    with pytest.raises(ForkServerError, match=r"OperationalError: .*connect"), server:
        pass


def test_without_fork_it_is_said_what_to_do(served, monkeypatch):
    monkeypatch.delattr(os, "fork")
    server = served.server()
    assert server.unsafe == "This platform has no os.fork."
    with pytest.raises(ForkServerError) as caught, server:
        pass
    assert str(caught.value) == (
        "This platform has no os.fork. Suspicions are confirmed in forks of one "
        "process that is set up once. Run this on Linux or macOS, or in a container."
    )


def test_options_of_the_user_s_do_not_reach_forks(tmp_path):
    served = Served(tmp_path, "pytest")
    report = served.project / "junit.xml"
    report.write_text("of the last run")
    options = f"--no-cache-isolation --junitxml={report} --basetemp={tmp_path}/base -v"
    with served.server(PYTEST_ADDOPTS=options) as served.running:
        tests = "leaks.FileTests.test_writes", "leaks.FileTests.test_reads"
        assert ran(served, *tests).last == "failed"
        assert ran(served, tests[1]).last == "passed"
    assert report.read_text() == "of the last run"
    assert not (tmp_path / "base").exists()


def test_a_process_without_isolation_is_refused(tmp_path):
    server = Served(tmp_path, "pytest").server(PYTEST_ADDOPTS="-pno:ci_cache_isolation")
    with pytest.raises(ForkServerError, match="isolation can't be switched on"), server:
        pass


def test_what_the_process_is_told_is_in_its_environment(served, monkeypatch):
    for name in ("AUDIT", "JOIN", "ORDER", "RECORD"):
        monkeypatch.setenv(f"CI_CACHE_ISOLATION_{name}", "x")
    monkeypatch.setenv("CI_CACHE_ISOLATION", "off")
    told = served.server(PYTHONHASHSEED="5")._variables(7, "scratch")
    ours = {
        name.removeprefix("CI_CACHE_ISOLATION"): value
        for name, value in told.items()
        if name.startswith("CI_CACHE_ISOLATION")
    }
    del ours["_JOURNALS"]
    forks = {"_FORKS": "7", "_FORKS_FOLDER": "scratch"}
    assert ours == {"": "on", "_SCOPE": "process"} | forks
    assert told["PYTHONHASHSEED"] == "5"
    assert served.server()._variables(7, "scratch")["PYTHONHASHSEED"] == "0"


def test_threads_in_the_process_that_forks_are_said(served):
    with served.server(PAIRS_THREAD="1") as server:
        assert server.remark == (
            "Threads were running when tests were forked (waiting): "
            "what waits for them there hangs."
        )
        assert server.unsafe == why_unsafe(["waiting"]) != ""
        jobs = [served.job("leaks.NoteTests.test_one")] * 3
        assert [each.last for each in server.run(jobs)] == ["passed"] * 3


def test_commands_are_those_of_users_with_our_server_in_them(tmp_path):
    (tmp_path / "manage.py").touch()
    inside = "ci_cache_isolation.running.inside"
    assert runner_named("django", tmp_path).fork_command(["shop"]) == [
        *(sys.executable, "manage.py", "test", "--no-input", "--testrunner"),
        *(f"{inside}.django_forks.ForkingRunner", "shop"),
    ]
    assert runner_named("pytest", tmp_path).fork_command(["-k", "x"]) == [
        *(sys.executable, "-m", "pytest", "-p", f"{inside}.pytest_forks"),
        *("-p", "no:cacheprovider", "--capture=no", "-k", "x"),
    ]


def test_the_last_outcome_is_that_of_the_last_test():
    job = Job(("a", "b"))
    assert Forked(job, End.DIED, {"a": "failed"}, 1.0, "").last is None
    assert Forked(job, End.FINISHED, {"b": "skipped"}, 1.0, "").last == "skipped"
