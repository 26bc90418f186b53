"""How ``nox -s peers`` reads, compares and expects; the runs themselves are its own."""

import json
from pathlib import Path

import pytest

from tests.peers import comparing, results, table
from tests.peers.catalogue import SUITES, Runner, chosen
from tests.peers.comparing import Difference, Expected
from tests.peers.results import Outcome, Result, Run

EXPECTED = Path(results.__file__).with_name("expected.toml")
PASSED, SKIPPED, FAILED = Outcome.PASSED, Outcome.SKIPPED, Outcome.FAILED
JUNIT = """<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_passes[sqlite]"/>
<testcase classname="tests.test_a" name="test_skipped[sqlite-1]">
  <skipped message="not today"/></testcase>
<testcase classname="tests.test_a" name="test_torn_down_badly"/>
<testcase classname="tests.test_a" name="test_torn_down_badly">
  <error message="in teardown"/></testcase>
</testsuite></testsuites>"""


def run_of(**outcomes):
    return Run({test: Result(each, "why") for test, each in outcomes.items()}, 1.0)


def compared(without, isolated, *expected):
    return comparing.compare("suite-a", without, isolated, expected)


@pytest.fixture
def accepted():
    return Expected(("suite-*",), "a", PASSED, FAILED, "it counts", "leave it shared")


def test_a_run_without_tests_is_no_run(tmp_path):
    (tmp_path / "record").write_text(json.dumps(None))

    with pytest.raises(results.Unreadable, match="no test ran"):
        results.recorded(tmp_path / "record")


def test_junit_is_read_with_the_worst_of_what_became_of_a_test(tmp_path):
    (tmp_path / "record").write_text(JUNIT)

    found = results.without_marker(results.from_junit(tmp_path / "record"), "sqlite")

    assert found == {
        "tests.test_a.test_passes": Result(PASSED),
        "tests.test_a.test_skipped[1]": Result(SKIPPED, "not today"),
        "tests.test_a.test_torn_down_badly": Result(FAILED, "in teardown"),
    }


def test_the_same_outcomes_are_no_difference():
    run = run_of(a=PASSED, b=FAILED)

    comparison = compared([run, run], [run])

    assert comparison.is_as_expected
    assert table.verdict(comparison) == "no difference"


def test_a_difference_is_not_as_expected():
    same, other = run_of(a=PASSED, b=FAILED), run_of(a=FAILED, b=FAILED)

    comparison = compared([same, same], [other])

    assert comparison.unexpected == (Difference("a", PASSED, FAILED, "why"),)
    assert not comparison.is_as_expected
    assert table.verdict(comparison) == "1 not expected"


def test_a_test_that_is_missing_with_isolation_is_a_difference():
    [difference] = compared([run_of(a=PASSED)], [run_of()]).unexpected

    assert difference.isolated is Outcome.ABSENT


def test_an_accepted_difference_is_as_expected(accepted):
    comparison = compared([run_of(a=PASSED)], [run_of(a=FAILED)], accepted)

    assert comparison.is_as_expected
    assert table.verdict(comparison) == "1 as expected"


def test_an_accepted_difference_of_another_suite_is_not(accepted):
    runs = [run_of(a=PASSED)], [run_of(a=FAILED)]

    comparison = comparing.compare("other", *runs, [accepted])

    assert not comparison.is_as_expected


def test_an_accepted_difference_that_is_none_any_more_is_said(accepted):
    comparison = compared([run_of(a=PASSED)], [run_of(a=PASSED)], accepted)

    assert comparison.gone == (accepted,)
    assert not comparison.is_as_expected


def test_what_is_unstable_without_isolation_is_no_difference(accepted):
    without = [run_of(a=PASSED), run_of(a=FAILED)]

    comparison = compared(without, [run_of(a=FAILED)], accepted)

    assert comparison.unstable == ("a",)
    assert comparison.is_as_expected


def test_what_differs_only_now_and_then_is_said_and_no_difference():
    stable = run_of(a=PASSED)

    comparison = compared([stable, stable], [run_of(a=FAILED), stable])

    assert comparison.unsteady == ("a",)
    assert comparison.is_as_expected


def test_the_table_names_tests_and_reasons():
    comparison = compared([run_of(a=PASSED, b=FAILED)], [run_of(a=FAILED, b=FAILED)])

    assert "\n".join(table.lines([comparison], {"peer": "1.2"})) == (
        "peer 1.2\n"
        "\n"
        "suite    tests  passed  skipped  failed  seconds  isolated\n"
        "suite-a      2       1        0       1      1.0       1.0  1 not expected\n"
        "\n"
        "NOT EXPECTED:\n"
        "  a: passed, isolated: failed\n"
        "    why\n"
        "    in suite-a\n"
        "\n"
        "failed without isolation:\n"
        "  b\n"
        "    in suite-a"
    )


def test_the_file_of_accepted_differences_names_suites_that_are_there():
    for each in comparing.read_expected(EXPECTED):
        assert any(each.is_of(suite.name) for suite in SUITES)


def test_the_file_of_accepted_differences_is_read(tmp_path, accepted):
    (tmp_path / "expected.toml").write_text(
        '[[difference]]\nsuites = ["suite-*"]\ntest = "a"\nwithout = "passed"\n'
        'isolated = "failed"\nwhy = "it counts"\nopt_out = "leave it shared"\n'
    )

    assert comparing.read_expected(tmp_path / "expected.toml") == [accepted]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["django-6.1-redis"], {"django-6.1-redis"}),
        (["django-debug-toolbar", "django-5.2-pylibmc"], None),
        (["django-6.1"], {f"django-6.1-{kind}" for kind in ("locmem", "redis")}),
        ([], {suite.name for suite in SUITES}),
    ],
)
def test_suites_are_chosen_by_name_or_by_how_names_begin(names, found):
    assert {suite.name for suite in chosen(names)} >= (found or set(names))


def test_nothing_is_chosen_by_half_a_word():
    assert chosen(["django-6"]) == []


def test_suites_have_names_of_their_own():
    assert len({suite.name for suite in SUITES}) == len(SUITES)


def test_django_own_tests_are_run_by_its_own_script():
    [suite] = chosen(["django-6.1-redis"])

    assert suite.runner is Runner.DJANGO
    assert suite.arguments[:2] == ("tests/runtests.py", "cache")
