"""The project of unsteady tests under ``stress``: judged as its truth.toml says."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.commands import copied
from tests.projects.shaken import truth

pytestmark = pytest.mark.exhaustive

# One runner: under pytest the same takes four times as long.
SEEDS = {"django": 11}
# Whether a test that fails by chance does so is left to chance.
BY_CHANCE = "missing, it is non-deterministic"


def replayed_and_cured(project, servers, finding):
    """Return the exit code of the printed command; and with the cure, if there is one.

    Isolation is the only cure that can be tried from outside.
    """
    command = finding["replay"]
    code = project.typed(command, **servers).code
    if not finding["isolation_cures"]:
        return code, None
    cured = command.replace("SCOPE=process", "SCOPE=test")
    if cured == command:
        cured = f"{command} --cache isolated"
    return code, project.typed(cured, **servers).code


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
    shown = [each for each in report["findings"] if each["replay"]]
    assert len(shown) > len(report["findings"]) / 2
    if cache == "shared":
        with ThreadPoolExecutor(2) as pool:
            for each, done in zip(
                shown,
                pool.map(partial(replayed_and_cured, shaken, servers), shown),
                strict=True,
            ):
                assert done == (1, 0 if each["isolation_cures"] else None), each
