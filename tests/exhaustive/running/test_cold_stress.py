"""Stress where forks are not safe, held against what it finds in forks."""

import pytest

from tests.cold_stress import MEMOISED, OFF, REMARK, finds_the_same_without_forks
from tests.commands import copied


@pytest.mark.parametrize("runner", ["django", "pytest"])
def test_without_forks_the_same_is_found_and_said_why(tmp_path, runner):
    finds_the_same_without_forks(tmp_path, runner)


def test_memoised_functions_are_named_also_where_forward_is_known_already(tmp_path):
    """The order that starts a resumed run is forward, and it is not recorded."""
    project = copied("small", tmp_path)
    (project.folder / "cases" / "test_memoised.py").write_text(MEMOISED)
    options = ("--orders", 0, "--split", 0, "--seed", 0, "--runner", "django")
    done = project.stress(*options, "cases.test_memoised", **OFF)
    [finding] = project.report()["findings"]
    assert finding["state"]["function"] == "cases.test_memoised.rate", done.out
    resumed = project.stress("--resume", **OFF)
    [again] = project.report()["findings"]
    assert again["state"] == finding["state"], resumed.out


def test_without_forks_the_same_is_found_also_where_forward_is_known_already(tmp_path):
    """The order that starts a resumed run is forward, and it is not recorded."""
    project = copied("small", tmp_path)
    (project.folder / "cases" / "test_memoised.py").write_text(MEMOISED)
    options = ("--orders", 0, "--split", 0, "--seed", 0, "--runner", "django")
    done = project.stress(*options, "--minutes", 0.0001, "cases.test_memoised", **OFF)
    assert done.out.count(f"{REMARK}\n") == 1
    # There was no time to judge anything.
    assert project.report()["findings"] == []

    resumed = project.stress("--resume", "--minutes", 5, **OFF)
    assert (resumed.code, resumed.err) == (1, "")
    assert [run["kind"] for run in project.report()["runs"]] == [
        *("forward", "reverse", "twice")
    ]
    [finding] = project.report()["findings"]
    assert finding["state"]["function"] == "cases.test_memoised.rate", resumed.out
    test = "cases.test_memoised.RateTests.test_"
    assert (finding["test"], finding["verdict"], finding["after"]) == (
        *(f"{test}a_is_one", "victim", [[f"{test}b_is_two"]]),
    )
    assert project.at_work() == []
