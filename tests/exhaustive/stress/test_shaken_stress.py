"""The project of unsteady tests under ``stress``, whatever its caches are."""

import pytest

from tests.commands import copied
from tests.shaken_runs import replayed_and_cured, stressed


@pytest.fixture
def servers(redis_server, tmp_path):
    return {
        "SHAKEN_REDIS": redis_server.location,
        "SHAKEN_FILES": str(tmp_path / "files"),
    }


LABELS = tuple(
    f"desk.test_{name}Tests"
    for name in (
        *("entries.Box", "entries.Gate", "entries.Map", "entries.Shelf"),
        *("entries.Sweep", "entries.Tidy", "memory.Fee", "memory.Opening"),
    )
)
ACROSS = tuple(
    f"desk.test_servers.{name}Tests" for name in ("RedisKeeping", "RedisClearing")
)
OPTIONS = ("--seed", 0, "--orders", 2)


# One runner: under pytest the same takes four times as long.
@pytest.mark.parametrize("cache", ["shared", "isolated"])
def test_every_unsteady_test_is_judged_as_it_was_planted(tmp_path, servers, cache):
    shaken = copied("shaken", tmp_path)
    report, wrong = stressed(shaken, servers, "--seed", 11, cache=cache)
    assert wrong == []
    shown = [each for each in report["findings"] if each["replay"]]
    assert len(shown) > len(report["findings"]) / 2
    if cache == "shared":
        expected = [(1, 0 if each["isolation_cures"] else None) for each in shown]
        assert replayed_and_cured(shaken, servers, shown) == expected


def test_what_is_harmed_by_another_process_is_judged_as_it_was_planted(
    tmp_path, servers
):
    shaken = copied("shaken", tmp_path)
    report, wrong = stressed(shaken, servers, *OPTIONS, labels=ACROSS)
    assert wrong == []
    assert {each["verdict"] for each in report["findings"]} == {"cross-process"}


def test_what_is_unsteady_by_caches_is_judged_as_it_was_planted(tmp_path, servers):
    shaken = copied("shaken", tmp_path)
    report, wrong = stressed(shaken, servers, *OPTIONS, labels=LABELS)
    assert wrong == []
    verdicts = {each["verdict"] for each in report["findings"]}
    assert verdicts == {"victim", "brittle", "self-polluting"}
    shown = {
        (each["verdict"], each["isolation_cures"]): each
        for each in report["findings"]
        if each["replay"]
    }
    assert shown.keys() == {
        *(("victim", True), ("victim", False), ("brittle", False)),
        *(("self-polluting", True), ("self-polluting", False)),
    }
    expected = [(1, 0 if is_cured else None) for _, is_cured in shown]
    assert replayed_and_cured(shaken, servers, shown.values()) == expected
