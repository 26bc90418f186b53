"""Databases that outlive a process: forks at a time each have a clone, always fresh."""

import json
import os
import signal
import time
from contextlib import closing

import pytest

from ci_cache_isolation.evidence import trace as traces
from ci_cache_isolation.evidence.suspects import read
from ci_cache_isolation.running.forks import End, ForkServerError, SectionMode
from ci_cache_isolation.state.where import Where
from tests.served import Served, eventually, in_session_of

FILE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": "pairs.sqlite3",
    "TEST": {"NAME": "test.sqlite3"},
}
FRESH = "databases.CommittingTests.test_first"
ROLLED_BACK = "databases.RolledBackTests.test_first"


class Lasting:
    """A database on a disk or a server, and how to look at it from outside."""

    def __init__(self, served, database, made):
        self.served = served
        self.database = database
        self.made = made

    def server(self, *labels, **options):
        chosen = self.database | options.pop("database", {})
        return self.served.server(*labels, PAIRS_DATABASE=json.dumps(chosen), **options)

    def clones(self):
        return [name for name in self.made() if "fork" in name]


# Each database and each runner; tests/exhaustive has the other two pairs.
@pytest.fixture(params=[("file", "pytest"), ("postgres", "django")], ids="-".join)
def lasting(request, tmp_path, nothing_of_this_run):
    yield from lasting_on(*request.param, request, tmp_path)


def lasting_on(database, runner, request, tmp_path):
    served = Served(tmp_path, runner)
    if database == "file":
        yield on_files(served)
        return
    server = request.getfixturevalue(f"{database}_server").database
    on_server = {"postgres": on_postgres, "mariadb": on_mariadb}
    yield from on_server[database](served, server)


def on_files(served):
    def files():
        return sorted(path.name for path in served.project.glob("*.sqlite3*"))

    return Lasting(served, FILE, files)


def on_postgres(served, server):
    import psycopg  # noqa: PLC0415

    name = f"{served.runner}_{os.getpid()}"

    def ask(statement, parameters=None):
        with psycopg.connect(
            *(), host=server["HOST"], port=server["PORT"], user=server["USER"],
            autocommit=True,
        ) as connection:  # fmt: skip
            found = connection.execute(statement, parameters)
            return found.fetchall() if found.description else None

    def databases():
        found = ask("SELECT datname FROM pg_database WHERE datname LIKE %s",
                    [f"%{name}%"])  # fmt: skip
        return sorted(each for (each,) in found)

    yield Lasting(served, server | {"TEST": {"NAME": f"test_{name}"}}, databases)
    for each in databases():
        ask(f'DROP DATABASE "{each}" WITH (FORCE)')


def on_mariadb(served, server):
    import MySQLdb  # noqa: PLC0415

    name = f"{served.runner}_{os.getpid()}"

    def ask(statement):
        connection = MySQLdb.connect(unix_socket=server["HOST"], user=server["USER"])
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def databases():
        return sorted(each for (each,) in ask(f"SHOW DATABASES LIKE '%{name}%'"))

    yield Lasting(served, server | {"TEST": {"NAME": f"test_{name}"}}, databases)
    for each in databases():
        ask(f"DROP DATABASE `{each}`")


def test_forks_at_once_have_a_database_each(lasting):
    meets = lasting.served.job("databases.MeetingTests.test_meets")
    with lasting.server() as server:
        assert server.remark == server.unsafe == ""
        ended = list(server.run([meets] * 2))
        assert len(lasting.clones()) == 2
    assert [each.last for each in ended] == ["passed"] * 2, ended
    assert lasting.made() == []


def test_what_was_committed_is_not_there_for_the_next_fork(lasting):
    # Each of them finds an empty table, and numbers that begin with 1.
    jobs = [
        lasting.served.job(*tests)
        for tests in [(FRESH,), (ROLLED_BACK,), (ROLLED_BACK, ROLLED_BACK), (FRESH,)]
    ]
    with lasting.server(processes=1) as server:
        ended = list(server.run(jobs * 2))
        assert len(lasting.clones()) == 1
    assert [each.last for each in ended] == ["passed"] * 8, ended
    assert lasting.made() == []


def test_forks_of_a_fork_share_no_connection_and_leave_it_to_be_made_anew(lasting):
    reads, writes = "leaks.GlobalTests.test_reads", "leaks.GlobalTests.test_writes"
    whole = lasting.served.out / "whole.json"
    tests = FRESH, ROLLED_BACK, reads, writes, "leaks.CommittedTests.test_one"
    job = lasting.served.job(*tests, sections=SectionMode.ISOLATED, whole=str(whole))
    with lasting.server(processes=1) as server:
        [ended] = server.run([job])
        assert ended.end is End.FINISHED, ended
        [again] = server.run([lasting.served.job(FRESH)])
    assert again.last == "passed"
    found = read(whole)
    id_of = lasting.served.id
    assert [tuple(each) for each in found.suspects] == [(id_of(reads), [id_of(writes)])]
    # One that asks for the first number of a sequence gets the second here: orders that
    # are run in clones of their own will tell.
    assert not {id_of(reads), id_of(writes)} & set(found.alone)
    assert lasting.made() == []


def test_rows_that_are_left_are_told_and_put_back(lasting):
    leaves, finds = (
        f"databases.LeavingTests.{each}"
        for each in ("test_leaves_one", "test_finds_none")
    )
    told = lasting.served.out / "traces.json"
    options = {"where": Where.ROWS, "sections": SectionMode.ISOLATED}
    telling = lasting.served.job(leaves, finds, traces=str(told), **options)
    with lasting.server(processes=1) as server:
        [ended] = server.run([telling])
        assert ended.last == "failed", ended
        [trace] = traces.read(told)
        assert (trace.name, trace.path) == ("rows of leaks_note", "")
        assert (trace.was, trace.became) == ("0 in it", "1 in it")
        put_back = lasting.served.job(leaves, finds, put_back=(trace.mark,), **options)
        [ended] = server.run([put_back])
        assert ended.last == "passed", ended
    assert lasting.made() == []


def test_tables_of_caches_are_a_fork_s_own(lasting):
    table = "leaks.TableTests.test_writes", "leaks.TableTests.test_reads"
    shared = lasting.served.job(*table)
    isolated = lasting.served.job(*table, sections=SectionMode.ISOLATED)
    reads = lasting.served.job(table[1])
    with lasting.server() as server:
        ended = list(server.run([shared, isolated, reads] * 3))
    for each in ended:
        assert each.last == ("failed" if each.job == shared else "passed"), each
    assert lasting.served.left() == []


def test_a_clone_is_only_made_anew_when_it_was_changed(lasting):
    reads = lasting.served.job("databases.ReadingTests.test_reads")
    with lasting.server(processes=1) as server:
        places = [each.messages for each in server.run([reads] * 2)]
        again = list(server.run([reads, lasting.served.job(FRESH), reads]))
    # Tests tell which database they were in by failing with it.
    [first, second, third, changed, fourth] = [
        *(each[lasting.served.id("databases.ReadingTests.test_reads")]
          for each in places),
        *("" if each.job.tests != reads.tests else each.message for each in again),
    ]  # fmt: skip
    assert first == second == third != ""
    assert changed == ""
    assert fourth != first


@pytest.mark.parametrize("how", ["test_is_killed", "test_hangs"])
def test_a_fork_that_dies_in_a_transaction_spoils_no_other(lasting, how):
    jobs = [
        lasting.served.job(f"databases.DyingTests.{how}", ROLLED_BACK, seconds=2),
        lasting.served.job(ROLLED_BACK),
        lasting.served.job(FRESH),
    ]
    with lasting.server(processes=1) as server:
        first, *others = server.run(jobs)
    assert first.end is (End.DIED if how == "test_is_killed" else End.TIMED_OUT)
    assert [each.last for each in others] == ["passed"] * 2, others
    assert lasting.made() == lasting.served.left() == []


def test_live_servers_and_async_tests_work_in_a_clone(lasting):
    tests = [
        f"databases.{name}"
        for name in (
            "LiveTests.test_sees",
            "AsyncTests.test_sees",
            "LiveTests.test_sees",
        )
    ]
    with lasting.server() as server:
        ended = list(server.run([lasting.served.job(*tests)] * 2))
    for each in ended:
        assert each.messages == {}
        assert list(each.order) == [lasting.served.id(test) for test in tests]


def test_a_server_that_was_killed_leaves_nothing_in_the_way(lasting):
    job = lasting.served.job(ROLLED_BACK)
    with lasting.server() as server:
        list(server.run([job]))
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ForkServerError, match="SIGKILL"):
            list(server.run([job]))
    assert eventually(lambda: in_session_of(server.pid) == [])
    assert lasting.clones() != []
    with lasting.server() as server:
        assert server.remark == ""
        assert [each.last for each in server.run([job] * 2)] == ["passed"] * 2
    assert lasting.made() == []


def test_clones_are_dropped_when_the_client_is_interrupted(lasting):
    def interrupted():
        yield lasting.served.job(ROLLED_BACK)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), lasting.server() as server:
        list(server.run(interrupted()))
    assert lasting.made() == lasting.served.left() == []
    assert in_session_of(server.pid) == []


def test_mirrors_and_twins_are_led_to_the_same_clone(lasting):
    others = {
        "mirror": lasting.database | {"TEST": {"MIRROR": "default"}},
        "twin": lasting.database,
    }
    label = {"django": "leaks.test_databases", "pytest": "leaks/test_databases.py"}
    job = lasting.served.job("databases.ManyDatabasesTests.test_same")
    with lasting.server(
        label[lasting.served.runner],
        PAIRS_DATABASES=json.dumps(others),
    ) as server:
        assert server.remark == ""
        ended = list(server.run([job] * 3))
    assert [each.messages for each in ended] == [{}] * 3
    assert lasting.made() == []


def test_where_a_name_is_too_long_for_a_clone_s_forks_go_one_at_a_time(
    tmp_path, postgres_server, nothing_of_this_run
):
    served = Served(tmp_path, "django")
    name = f"test_{os.getpid()}_".ljust(60, "x")
    database = postgres_server.database | {"TEST": {"NAME": name}}
    with served.server(PAIRS_DATABASE=json.dumps(database)) as server:
        assert server.remark == (
            "One fork at a time, and all of them in the same databases, because "
            "the name of 'default' leaves no room for that of a clone."
        )
        begun = time.monotonic()
        jobs = [served.job("leaks.NoteTests.test_one")] * 2
        assert [each.last for each in server.run(jobs)] == ["passed"] * 2
        assert time.monotonic() - begun < 60


def test_a_database_that_the_project_set_up_itself_is_not_cloned(
    tmp_path, nothing_of_this_run
):
    served = Served(tmp_path, "pytest")
    (served.project / "conftest.py").write_text(
        "import pytest\n"
        "from django.core.management import call_command\n"
        "@pytest.fixture(scope='session')\n"
        "def django_db_setup(django_db_blocker):\n"
        "    with django_db_blocker.unblock():\n"
        "        call_command('migrate', run_syncdb=True, verbosity=0)\n"
    )
    with served.server(PAIRS_DATABASE=json.dumps(FILE)) as server:
        assert "'default' was not made by Django's own set-up" in server.remark
        [ended] = server.run([served.job(ROLLED_BACK)])
        assert ended.last == "passed"
    assert not list(served.project.glob("*fork*"))
