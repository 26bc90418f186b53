"""The project of unsteady tests, run as its users run it."""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.commands import PROJECTS, copied
from tests.projects.truth import RUNNERS, Truth, node_id

SERVERS = Truth(PROJECTS / "shaken", "django").servers
ALL = frozenset(SERVERS)
RUNS = {
    "django": ("manage.py", "test"),
    "pytest": ("-m", "pytest", "-q", "--no-header"),
}
FAILURE = {
    "django": r"^(?:FAIL|ERROR): \w+ \(([\w.]+)\)",
    "pytest": r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$",
}
# Whether a test that fails by chance does so is left to chance.
BY_CHANCE = "missing, it is non-deterministic"
runners = pytest.mark.parametrize("runner", RUNNERS)


@pytest.fixture(autouse=True)
def _no_servers(monkeypatch):
    for variable in SERVERS.values():
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def shaken(tmp_path):
    return copied("shaken", tmp_path)


def truth(runner, servers=None):
    """Return what is planted; on servers that are named, or that are there."""
    return Truth(PROJECTS / "shaken", runner, servers)


def run(shaken, runner, *arguments, isolation="on", **variables):
    """Run tests; return what failed, by the runner's own ids; or the class's."""
    done = shaken.python(
        *RUNS[runner], *arguments, CI_CACHE_ISOLATION=isolation, **variables
    )
    assert done.code in (0, 1), done.out + done.err
    return set(re.findall(FAILURE[runner], done.out + done.err, re.MULTILINE))


def id_of(runner, name):
    return node_id(f"desk.{name}") if runner == "pytest" else f"desk.{name}"


def stressed(shaken, servers, *options, runner="django", cache="shared", labels=()):
    """Run ``stress``; return its report, and what it gets wrong of these tests."""
    options = ("--runner", runner, "--cache", cache, *options)
    done = shaken.stress(*options, *labels, **servers)
    assert done.code == 1, done.err
    report = shaken.report()
    wrong = truth(runner, ALL).differences(report, cache)
    about = labels or ("",)
    return report, [
        each for each in wrong if each.startswith(about) and BY_CHANCE not in each
    ]


def replayed_and_cured(shaken, servers, findings):
    """Return the exit code of each printed command; and with the cure, if there is one.

    Isolation is the only cure that can be tried from outside.
    """
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(partial(_replayed_and_cured, shaken, servers), findings))


def _replayed_and_cured(shaken, servers, finding):
    command = finding["replay"]
    code = shaken.typed(command, **servers).code
    if not finding["isolation_cures"]:
        return code, None
    cured = command.replace("SCOPE=process", "SCOPE=test")
    if cured == command:
        cured = f"{command} --cache isolated"
    return code, shaken.typed(cured, **servers).code
