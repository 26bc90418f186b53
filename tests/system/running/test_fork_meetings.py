"""Forks that meet in one section of each cache, and what is recorded in a fork."""

from contextlib import closing

import pytest

from ci_cache_isolation.evidence.notes import read
from ci_cache_isolation.running.forks import End, SectionMode
from tests.served import Served
from tests.servers import running

BACKENDS = "django.core.cache.backends"


@pytest.fixture(params=["files", "redis", "memcached"])
def shared(request):
    """Return a kind of tests, the settings for them, and what is left on the server."""
    if request.param == "files":
        yield "FileTests", {}, lambda: 0
        return
    backend = {"redis": "redis.RedisCache", "memcached": "memcached.PyMemcacheCache"}
    # One of its own: memcached counts what was flushed long after.
    with running(request.param) as server, closing(server.client()) as client:
        environment = {
            "PAIRS_BACKEND": f"{BACKENDS}.{backend[request.param]}",
            "PAIRS_LOCATION": server.location,
        }
        if request.param == "redis":
            yield "ServerTests", environment, client.dbsize
        else:
            yield "ServerTests", environment, lambda: client.stats()[b"curr_items"]


def test_forks_of_one_tag_meet_and_others_do_not(served, shared):
    kind, environment, left = shared

    def job(test, tag):
        return served.job(
            f"meetings.{kind}.test_{test}", sections=SectionMode.COMMON, common=tag
        )

    with served.server(**environment) as server:
        for tag in ("a", "b"):
            # One at a time sees nothing of the other tag.
            [first] = server.run([job("sees_nothing", tag)])
            ended = list(server.run([job("one", tag), job("two", tag)]))
            assert [first.messages, *(each.messages for each in ended)] == [{}] * 3
            assert [each.last for each in server.run([job("sees_them", tag)])] == [
                "passed"
            ]
        # A fork that died was somebody's who met others there: nothing is taken away.
        jobs = [job("dies", "a"), job("sees_them", "a"), job("sees_them", "a")]
        by_end = [(each.end, each.last) for each in server.run(jobs)]
        assert sorted(by_end) == [
            *((End.DIED, "failed"), (End.FINISHED, "passed"), (End.FINISHED, "passed")),
        ]
        apart = served.job(f"meetings.{kind}.test_sees_nothing")
        assert [each.last for each in server.run([apart])] == ["passed"]
    assert served.left() == []
    assert left() == 0


def test_what_set_up_stored_is_there_for_those_who_meet(
    tmp_path, shared, nothing_of_this_run
):
    served = Served(tmp_path, "pytest")
    kind, environment, left = shared
    (served.project / "conftest.py").write_text(
        "import pytest\n"
        "from django.core.cache import caches\n"
        "@pytest.fixture(scope='session', autouse=True)\n"
        "def stored():\n"
        "    for alias in ('files', 'server'):\n"
        "        caches[alias].set('set-up', 1)\n"
    )
    test = f"meetings.{kind}.test_sees_what_set_up_stored"
    common = served.job(test, sections=SectionMode.COMMON, common="a")
    with served.server(**environment) as server:
        ended = list(server.run([common, common, served.job(test)]))
    assert [each.messages for each in ended] == [{}] * 3
    assert left() == 0


def test_memory_can_t_be_shared(served):
    jobs = [
        served.job(
            f"meetings.MemoryTests.test_{each}", sections=SectionMode.COMMON, common="a"
        )
        for each in ("one", "two")
    ]
    with served.server(PAIRS_PATIENCE="1") as server:
        assert [each.last for each in server.run(jobs)] == ["failed"] * 2


def test_an_audit_s_books_are_kept_where_a_job_says_so(served):
    tests = "leaks.MemoryTests.test_writes", "leaks.ServerTests.test_reads"
    held = "leaks.HeldTests.test_writes"
    notes = [str(served.out / name) for name in ("one", "two")]
    jobs = [
        served.job(*tests, sections=SectionMode.ISOLATED, notes=notes[0]),
        served.job(held, sections=SectionMode.ISOLATED, notes=notes[1]),
        served.job(*tests, sections=SectionMode.ISOLATED),
    ]
    with served.server() as server:
        assert [each.messages for each in server.run(jobs)] == [{}] * 3
    first, second = (list(read(served.out / name)) for name in ("one", "two"))
    assert {"key", "held"} <= set(str(first + second).replace("'", " ").split())
    assert "held" not in str(first)
    assert sorted(path.name for path in served.out.iterdir()) == [
        *("fork-server.log", "one", "two"),
    ]
