"""Stress where forks are not safe: every order in a cold process, the same verdicts."""

from tests.cold_stress import OFF
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


def test_no_tests_is_nothing_ran(tmp_path):
    project = copied("small", tmp_path)
    done = project.stress("--runner", "pytest", "--", "-k", "no_such_test", **OFF)
    assert done.code == 3
    assert done.err.startswith("cache-isolation: No tests were found, so there is ")
