"""The project of unsteady tests under ``stress``: judged as its truth.toml says."""

import json

import pytest

from tests.commands import copied
from tests.projects.shaken import truth

pytestmark = pytest.mark.exhaustive

# One runner: under pytest the same takes four times as long.
SEEDS = {"django": 11}
# Whether a test that fails by chance does so is left to chance.
BY_CHANCE = "missing, it is non-deterministic"


@pytest.mark.parametrize("cache", ["shared", "isolated"])
@pytest.mark.parametrize("runner", SEEDS)
def test_every_unsteady_test_is_judged_as_it_was_planted(
    tmp_path, redis_server, runner, cache
):
    shaken = copied("shaken", tmp_path)
    options = ("--runner", runner, "--cache", cache, "--seed", SEEDS[runner])
    servers = {
        "SHAKEN_REDIS": redis_server.location,
        "SHAKEN_FILES": str(tmp_path / "files"),
    }
    done = shaken.stress(*options, **servers)
    assert done.code == 1, done.err
    report = shaken.report()
    wrong = truth.differences(report, runner, cache, frozenset(truth.SERVERS))
    assert [each for each in wrong if BY_CHANCE not in each] == []
    commands = [each["replay"] for each in report["findings"] if each["replay"]]
    assert len(commands) > len(report["findings"]) / 2
    assert json.dumps(report)
