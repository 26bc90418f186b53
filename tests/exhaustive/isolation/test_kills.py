"""Processes killed at any moment: nothing of others is lost, and in the end none left.

``KILLS=300 python -m pytest tests/exhaustive/isolation/test_kills.py`` kills more,
``KILLS_SEED`` says otherwise who is killed when.
"""

import os

import pytest

from tests.kills import RUNNERS, Kills, suite_for
from tests.neighbours import BACKENDS

ALL = int(os.environ.get("KILLS", "48"))
SEED = os.environ.get("KILLS_SEED", "0")
CASES = [(runner, store) for runner in RUNNERS for store in sorted(BACKENDS)]


@pytest.mark.parametrize(("runner", "store"), CASES)
def test_nothing_is_lost_and_nothing_left_after_the_next_run(shared, runner, store):
    project = shared(store)
    (project.project.path / "test_suite.py").write_text("")
    project.project.write("test_suite", suite_for(runner, store))
    wanted = -(-ALL // len(CASES))
    killed = Kills(project, runner, store, SEED).until(wanted)
    print(f"{killed} processes killed")  # noqa: T201 - shown by -rP
    assert killed >= wanted
