"""The project of unsteady tests under ``stress``: judged as its truth.toml says."""

import pytest

from tests.commands import copied
from tests.shaken_runs import replayed_and_cured, stressed


@pytest.fixture
def servers(redis_server, tmp_path):
    return {
        "SHAKEN_REDIS": redis_server.location,
        "SHAKEN_FILES": str(tmp_path / "files"),
    }


def test_every_unsteady_test_is_judged_as_it_was_planted(tmp_path, servers):
    shaken = copied("shaken", tmp_path)
    report, wrong = stressed(shaken, "django", "shared", 0, servers)
    assert wrong == []
    shown = [each for each in report["findings"] if each["replay"]]
    assert len(shown) > len(report["findings"]) / 2
    kinds = {(each["verdict"], each["isolation_cures"]): each for each in shown}
    some = list(kinds.values())
    assert len(some) > 5
    expected = [(1, 0 if each["isolation_cures"] else None) for each in some]
    assert replayed_and_cured(shaken, servers, some) == expected
