"""Stress where forks are not safe: every order in a cold process, the same verdicts."""

from tests.cold_stress import MEMOISED, OFF, REMARK
from tests.commands import copied


def test_a_test_database_that_runs_share_makes_them_run_one_at_a_time(tmp_path):
    project = copied("small", tmp_path)
    done = project.stress(
        *("--orders", 0, "--split", 0, "--processes", 2, "--runner", "django"),
        *("--seed", 0),
        "cases.test_clean",
        SMALL_TEST_DATABASE=str(project.folder / "shared.sqlite3"),
        **OFF,
    )
    assert done.code == 0
    remark = (
        "One order at a time, because all of them would use the same database "
        "'default' (sqlite)."
    )
    assert remark in done.out


def test_without_forks_the_same_is_found_also_where_forward_is_known_already(tmp_path):
    """The order that starts a resumed run is forward, and no books are kept of it."""
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


def test_no_tests_is_nothing_ran(tmp_path):
    project = copied("small", tmp_path)
    done = project.stress("--runner", "pytest", "--", "-k", "no_such_test", **OFF)
    assert done.code == 3
    assert done.err.startswith("cache-isolation: No tests were found, so there is ")
