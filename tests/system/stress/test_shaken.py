"""The project of unsteady tests: it is as its truth.toml says, and so are reports."""

import itertools
import os
from contextlib import contextmanager

import pytest

from ci_cache_isolation.running.forks import ForkClient, Job, SectionMode
from ci_cache_isolation.running.outcomes import FAILED
from ci_cache_isolation.running.runners import runner_named
from tests import shaken_runs
from tests.commands import copied
from tests.projects.truth import CACHES, node_id
from tests.shaken_runs import ALL, id_of, run, runners, truth

_no_servers = shaken_runs._no_servers
shaken = shaken_runs.shaken

each_way = pytest.mark.parametrize(
    "sections", [SectionMode.SHARED, SectionMode.ISOLATED]
)
# One worker serves it.
in_one_worker = pytest.mark.xdist_group("shaken served")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The runner's name, and a process that is set up once and forks."""
    with serving("django", tmp_path_factory.mktemp("django")) as served:
        yield served


@contextmanager
def serving(runner, folder):
    """Serve the project under a runner."""
    with pytest.MonkeyPatch.context() as environment:
        for name in list(os.environ):
            if name.startswith(("PYTEST_", "CI_CACHE_ISOLATION", "DJANGO_", "SHAKEN_")):
                environment.delenv(name)
        project = copied("shaken", folder).folder
        with ForkClient(
            runner_named(runner, project),
            ["desk"],
            folder,
            processes=2,
            seconds=60,
            environment={"DJANGO_SETTINGS_MODULE": "shaken.settings"},
        ) as server:
            yield runner, server


@runners
def test_in_the_usual_order_only_what_fails_anyway_fails(shaken, runner):
    by_chance = truth(runner).of_verdict("non-deterministic")
    broken = truth(runner).of_verdict("broken")
    assert run(shaken, runner, isolation="off") - by_chance == broken
    # What isolation takes from a test that needs it: it fails always then.
    left = truth(runner).expected("isolated")
    broken = {test for test, each in left.items() if each.verdict == "broken"}
    assert run(shaken, runner) - by_chance == broken


@runners
def test_in_the_reverse_order_many_fail_that_isolation_can_not_cure(shaken, runner):
    reverse = ("--reverse",) if runner == "django" else ()
    failed = run(shaken, runner, *reverse, SHAKEN_REVERSE="1")
    expected = truth(runner).expected("isolated")
    # Django names the class where it can't be set up.
    classes = {test.rpartition(".")[0] for test in expected}
    assert failed <= expected.keys() | classes
    uncured = truth(runner).of_verdict("victim") & expected.keys()
    assert len(failed & uncured) > len(uncured) / 2


@runners
def test_all_that_is_asked_for_is_planted(runner):
    leaks, alone = truth(runner, ALL).leaks, truth(runner, ALL).alone
    names = [each.name for each in (*leaks, *alone)]
    assert len(names) == len(set(names))
    accused = [test for leak in leaks for test in leak.victims]
    accused += [test for each in alone for test in each.tests]
    assert len(accused) == len(set(accused))
    assert len([leak for leak in leaks if not leak.is_cured]) >= 18
    assert len([leak for leak in leaks if leak.is_cured]) >= 10
    verdicts = {each.verdict for each in truth(runner, ALL).expected("shared").values()}
    assert verdicts == {
        *("victim", "brittle", "non-deterministic"),
        *("self-polluting", "cross-process", "broken"),
    }


@in_one_worker
def test_only_tests_that_exist_are_named_and_most_are_stable(served):
    runner, server = served
    leaks, alone = truth(runner).leaks, truth(runner).alone
    named = [leak.tests for leak in leaks] + [set(each.tests) for each in alone]
    assert set().union(*named) <= set(server.tests)
    accused = truth(runner).expected("shared").keys()
    assert len(server.tests) > 2 * len(accused)


@in_one_worker
@each_way
def test_each_leak_shows_in_a_fork_and_isolation_cures_what_it_should(served, sections):
    runner, server = served
    jobs = {
        (*group, victim): leak
        for leak in truth(runner).leaks
        for group, victim in itertools.product(leak.polluters, leak.victims)
    }
    for forked in server.run(Job(tests, sections) for tests in jobs):
        leak = jobs[forked.job.tests]
        is_cured = sections is SectionMode.ISOLATED and leak.is_cured
        fails = is_cured is (leak.verdict == "brittle")
        assert (forked.last == FAILED) is fails, (leak.name, forked)


@in_one_worker
@each_way
def test_who_pollutes_itself_fails_the_second_time(served, sections):
    runner, server = served
    jobs = {
        (test,) * times: times == 2 and not (sections == "isolated" and each.is_cured)
        for each in truth(runner).alone
        if each.verdict == "self-polluting"
        for test in each.tests
        for times in (1, 2)
    }
    assert len(jobs) == 8
    for forked in server.run(Job(tests, sections) for tests in jobs):
        assert (forked.last == FAILED) is jobs[forked.job.tests], forked


@in_one_worker
@each_way
def test_the_outcome_of_whole_orders_is_foretold(served, sections):
    runner, server = served
    by_chance = truth(runner).of_verdict("non-deterministic")
    orders = [server.tests, server.tests[::-1]]
    for forked in server.run(Job(order, sections) for order in orders):
        failed = {test for test, end in forked.outcomes.items() if end == FAILED}
        foretold = truth(runner).predicted(forked.job.tests, sections.value)
        assert failed - by_chance == foretold


@in_one_worker
def test_what_fails_by_chance_does_so_whatever_ran_before(served):
    runner, server = served
    test = id_of(runner, "test_unsteady.ChanceTests.test_fails_once_in_four_times")
    ends = {forked.last for forked in server.run([Job((test,))] * 60)}
    assert ends == {"passed", FAILED}


def report(runner, cache):
    """Return a report that is right in all that is compared."""
    findings = []
    for test, saying in truth(runner, ALL).expected(cache).items():
        state = saying.state and {
            name: value.replace("*", ":x") for name, value in saying.state.items()
        }
        findings.append(
            {
                "test": test,
                "verdict": saying.verdict,
                "after": [sorted(group) for group in saying.after],
                "cleaners": sorted(saying.cleaners or ()),
                "state": state,
                "isolation_cures": cache == "shared" and bool(saying.is_cured),
            }
        )
    return {"findings": findings}


def changed(test, runner="django", cache="shared", **values):
    """Return what is said of a report that is right but for one test."""
    made = report(runner, cache)
    test = id_of(runner, test)
    [finding] = [each for each in made["findings"] if each["test"] == test]
    if values:
        finding.update(values)
    else:
        made["findings"].remove(finding)
    found = truth(runner, ALL).differences(made, cache)
    assert all(line.startswith(f"{test}: ") for line in found)
    return [line.removeprefix(f"{test}: ").replace("desk.", "") for line in found]


@runners
@pytest.mark.parametrize("cache", CACHES)
def test_a_right_report_differs_in_nothing(runner, cache):
    assert truth(runner, ALL).differences(report(runner, cache), cache) == []


VICTIM = "test_entries.ShelfTests.test_shelf_is_empty"
FILLED = "desk.test_entries.ShelfTests.test_shelf_is_filled"
TIDY = "desk.test_entries.TidyTests.test_shelf_is_filled_by_somebody_else"
FEE = "test_memory.FeeTests.test_fee_for_late_books_is_two"
ROUNDED = "desk.test_members.InterestTests.test_interest_is_rounded"
CHANCE = "test_unsteady.ChanceTests.test_fails_once_in_four_times"
KEEPING = "test_servers.RedisKeepingTests.test_keeps_its_place"
CLEARING = "desk.test_servers.RedisClearingTests.test_clears_the_place"
NAME = "test_surroundings.AtTheDeskTests.test_desk_is_the_main_desk"


@pytest.mark.parametrize(
    ("test", "values", "lines"),
    [
        (VICTIM, {}, ["missing, it is victim"]),
        (VICTIM, {"verdict": "brittle"}, ["is victim, not brittle"]),
        (
            VICTIM,
            {"after": [[FILLED], [TIDY, FILLED]]},
            [
                f"polluters not named: {TIDY}",
                f"polluters that are none: {FILLED} + {TIDY}",
            ],
        ),
        (VICTIM, {"cleaners": [FILLED]}, [f"{FILLED} is no cleaner"]),
        (VICTIM, {"cleaners": []}, []),
        (
            VICTIM,
            {"state": None},
            ["state is cache default shelf, not unknown"],
        ),
        (
            FEE,
            {"state": {"kind": "memoised", "function": "desk.lending.today"}},
            [
                "state is memoised desk.lending.fee, not memoised desk.lending.today",
            ],
        ),
        (
            VICTIM,
            {"isolation_cures": False},
            ["isolation cures it, the report says False"],
        ),
        (
            FEE,
            {"isolation_cures": True},
            ["isolation does not cure it, the report says True"],
        ),
        # No order of the runner's can show this one, forks can.
        (
            "test_members.InterestTests.test_interest_is_exact",
            {"after": [[ROUNDED]]},
            [],
        ),
        ("tests_rows.RolledBackTests.test_nobody_called_eve_is_a_member", {}, []),
        (CHANCE, {"verdict": "victim"}, ["is non-deterministic, not victim"]),
        (CHANCE, {"after": [[FILLED]]}, [f"polluters that are none: {FILLED}"]),
        (CHANCE, {"isolation_cures": None}, []),
        (CHANCE, {"isolation_cures": True}, ["isolation does not cure it"]),
        (
            KEEPING,
            {"after": []},
            [
                "none of its polluters is named: " + CLEARING,
            ],
        ),
    ],
)
def test_what_a_report_gets_wrong_is_said(test, values, lines):
    expected = [line.replace("desk.", "") for line in lines]
    assert changed(test, **values) == expected


def test_a_stable_test_and_one_that_isolation_cures_are_not_to_be_accused():
    made = report("pytest", "isolated")
    [victim, stable] = map(
        node_id,
        [f"desk.{VICTIM}", "desk.test_entries.KeptTests.test_bell_is_kept"],
    )
    right = made["findings"][0]
    made["findings"] += [right, right | {"test": victim}, right | {"test": stable}]
    assert truth("pytest", ALL).differences(made, "isolated") == sorted(
        [
            f"{right['test']}: reported 2 times",
            f"{stable}: accused of being victim, but it is stable",
            f"{victim}: accused of being victim, but isolation cures it",
        ]
    )


def test_isolated_caches_leave_what_isolation_can_not_cure():
    assert changed(NAME, cache="isolated") == ["missing, it is victim"]
    brittle = "test_entries.MapTests.test_map_is_read"
    assert changed(brittle, cache="isolated", verdict="brittle") == [
        "is broken, not brittle"
    ]
    left = truth("django", ALL).expected("isolated").values()
    assert "cross-process" not in {each.verdict for each in left}
