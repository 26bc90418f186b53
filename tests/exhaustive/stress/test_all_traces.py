"""The project in which state of every kind is left: named, and cured, all of it.

Traces first, and no random order: nothing is left to luck.
"""

import re

import pytest

from tests.commands import PROJECTS, copied
from tests.projects.truth import RUNNERS, Truth
from tests.shaken_runs import FAILURE, RUNS

MODULES = ("containers", "objects", "patterns", "surroundings")
REVERSED = {"django": ("--reverse",), "pytest": ()}


@pytest.fixture
def traces(tmp_path):
    return copied("traces", tmp_path)


@pytest.mark.parametrize("module", MODULES)
def test_brute_force_finds_what_is_planted_and_nothing_else(traces, module):
    options = ("--rows", "--orders", "5", "--jobs", "2", f"shop.test_{module}")
    done = traces.python(PROJECTS / "brute_force.py", *options)
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize(("seed", "module"), [*enumerate(MODULES)])
def test_all_that_is_left_is_named_and_what_is_printed_cures_it(
    traces, runner, seed, module
):
    label = f"shop/test_{module}.py" if runner == "pytest" else f"shop.test_{module}"
    done = traces.stress(
        *("--runner", runner, "--orders", "0", "--split", "0", "--seed", str(seed)),
        label,
        CI_CACHE_ISOLATION_TRACES="on",
    )
    assert done.code == 1, done.err
    truth = Truth(PROJECTS / "traces", runner)
    about = label.removesuffix(".py")
    report = traces.report()
    wrong = truth.differences(report, "isolated")
    assert [each for each in wrong if each.startswith(about)] == []
    # All at once, and as it stands there, in an order in which all of it shows.
    states = [each["state"] for each in report["findings"] if each["state"]]
    cures = sorted({name for state in states for name in state["cure"]})
    with (traces.folder / "traces" / "settings.py").open("a") as file:
        file.write(f'CACHE_ISOLATION = {{"state": {cures!r}}}\n')
    plain = failed(traces, runner, label, CI_CACHE_ISOLATION="off")
    assert len(plain) > len(cures) / 2
    # What needs another test comes after it there.
    assert failed(traces, runner, label, CI_CACHE_ISOLATION="on") == set()


def failed(traces, runner, label, **variables):
    """Run tests in the reverse order; return what failed, by the runner's own ids."""
    own = (
        ("--testrunner", "ci_cache_isolation.runner.IsolatedRunner")
        if runner == "django"
        else ()
    )
    words = (*RUNS[runner], *REVERSED[runner], *own, label)
    done = traces.python(*words, TRACES_REVERSE="1", **variables)
    assert done.code in (0, 1), done.out + done.err
    return set(re.findall(FAILURE[runner], done.out + done.err, re.MULTILINE))
