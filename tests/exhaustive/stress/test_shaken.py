"""The project of unsteady tests, where processes meet; and by brute force."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ci_cache_isolation.running.outcomes import FAILED
from tests import shaken_runs
from tests.commands import PROJECTS
from tests.shaken_runs import id_of, run, runners

_no_servers = shaken_runs._no_servers
shaken = shaken_runs.shaken

SPLIT = {
    "django": ("--parallel", "2"),
    "pytest": ("-n", "2", "--dist", "loadscope"),
}


@pytest.fixture
def servers(redis_server, tmp_path):
    """What names a server and a folder that processes share."""
    folder = tmp_path / "met"
    folder.mkdir()
    return {"SHAKEN_REDIS": redis_server.location, "SHAKEN_FILES": str(folder)}


@runners
@pytest.mark.parametrize("kind", ["Redis", "Files"])
def test_two_processes_that_meet_harm_each_other(shaken, servers, runner, kind):
    tests = [
        id_of(runner, f"test_servers.{kind}{name}")
        for name in ("KeepingTests.test_keeps_its_place", "ClearingTests")
    ]
    keeping = tests[0]
    for isolation, failed in (("off", {keeping}), ("on", set())):
        found = run(
            *(shaken, runner, *SPLIT[runner], *tests),
            isolation=isolation,
            **servers,
        )
        assert found == failed
    for each in tests:
        assert not run(shaken, runner, each, isolation="off", **servers)


@runners
@pytest.mark.parametrize("kind", ["Redis", "Files"])
def test_a_count_is_spoiled_by_the_same_test_at_the_same_time(
    shaken, servers, runner, kind
):
    name = f"test_servers.{kind}CountingTests.test_counts_to_ten"
    test = id_of(runner, name)
    assert not run(shaken, runner, test, isolation="off", **servers)
    # They meet for a tenth of a second, if they start together.
    assert any(
        FAILED in at_once(shaken, runner, test, "off", servers) for _ in range(10)
    )
    assert at_once(shaken, runner, test, "on", servers) == ["passed", "passed"]


def at_once(shaken, runner, test, isolation, servers):
    """Run a test in two processes; return what it came to in each."""
    with ThreadPoolExecutor() as pool:
        runs = [
            pool.submit(run, shaken, runner, test, isolation=isolation, **servers)
            for _ in range(2)
        ]
    return [FAILED if each.result() else "passed" for each in runs]


# A fork for each of the twenty thousand ordered pairs: by calling the script itself.
def test_brute_force_finds_what_is_planted_and_nothing_else(shaken):
    # Under pytest it takes five times as long; there stress finds it all as well.
    options = ("--runner", "django", "--jobs", "2", "--rows")
    done = shaken.python(PROJECTS / "brute_force.py", *options)
    assert done.code == 0, done.out + done.err


@runners
def test_brute_force_finds_what_is_planted_on_servers(shaken, servers, runner):
    label = id_of(runner, "test_servers.x").partition("::")[0].removesuffix(".x")
    options = ("--runner", runner, "--jobs", "2")
    done = shaken.python(PROJECTS / "brute_force.py", *options, label, **servers)
    assert done.code == 0, done.out + done.err
    assert "9 tests" in done.out
