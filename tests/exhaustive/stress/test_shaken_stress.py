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
