"""Reports of shards and of several nights, made into one."""

import copy
import json

import pytest
from click.testing import CliRunner

from ci_cache_isolation.cli import cli
from ci_cache_isolation.commands.merge import merge as command
from ci_cache_isolation.report.counts import bounded
from ci_cache_isolation.report.document import stress_document
from ci_cache_isolation.report.merging import MergeError, merged
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.suite import SuiteTest
from ci_cache_isolation.stress.pairs import Pairs
from ci_cache_isolation.stress.plan import Shard, Wishes, planned
from ci_cache_isolation.stress.results import Run, StressResult
from tests.worlds import World

SUITE = [
    SuiteTest(f"{name}.t{test}", (name,), rank)
    for name, rank in [("A", 0), ("B", 0), ("C", 2)]
    for test in range(5)
]
IDS = [test.id for test in SUITE]
WHOLE = Shard(1, 1)
WORLD = World(IDS, victims={"B.t1": [("A.t3",)]}, broken={"A.t0"})
FINDING = {
    "test": "B.t1",
    "verdict": "victim",
    "after": [["A.t3"]],
    "cleaners": [],
    "state": None,
    "proof": {"alone": "0/5", "after": "5/5", "isolated": "0/5"},
    "isolation_cures": True,
    "replay": None,
    "cost": {"runs": 20, "seconds": 0.5},
}


COUNTED = {"total": 0, "covered": 0, "adjacent": 0, "unreachable": 0}


def document(  # noqa: PLR0913
    steps=None, *, world=WORLD, findings=(), seed=5, end=End.FINISHED, shard=WHOLE
):
    """Return the report of those steps of one plan, as JSON gives it back."""
    result = StressResult("django", Cache.SHARED, seed, shard, SUITE, "shop.settings")
    result.pairs = Pairs.of(SUITE)
    for each in planned(SUITE, Wishes(orders=6, twice=False, split=2), seed):
        if steps is None or steps(each.step):
            [observed] = world.observe(each.order)
            result.runs.append(
                Run(
                    step=each.step,
                    cache=Cache.SHARED,
                    end=end,
                    seconds=1.0,
                    order=each.order if each.step.processes == 1 else (),
                    passed=observed.passed,
                    failed=tuple(sorted(observed.failed)),
                )
            )
            result.pairs.add(result.runs[-1].order)
    made = stress_document(result)
    made["findings"] = [FINDING | each for each in findings]
    return json.loads(json.dumps(made))


def merge(*documents):
    return merged([(f"{at}.json", each) for at, each in enumerate(documents)])


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_the_shards_of_a_plan_come_to_what_the_whole_plan_comes_to(of):
    whole = document()
    shards = [Shard(at, of) for at in range(1, of + 1)]
    result = merge(*(document(each.takes, shard=each) for each in shards))
    assert result["shard"] == "1/1"
    # Every shard has run the suite's own order.
    kinds = [(run["kind"], run["seed"], run["reversed"]) for run in result["runs"]]
    expected = [(run["kind"], run["seed"], run["reversed"]) for run in whole["runs"]]
    assert kinds == expected[:1] * of + expected[1:]
    assert [run["index"] for run in result["runs"]] == list(range(len(kinds)))
    for key in ("total", "covered", "adjacent", "coverage"):
        assert result["pairs"][key] == whole["pairs"][key]
    assert {each["test"] for each in result["failures"]} == {"A.t0", "B.t1"}
    for each in result["failures"]:
        failed = {
            run["index"] for run in result["runs"] if each["test"] in run["failed"]
        }
        assert set(each["failed_in"]) == failed
        assert set(each["passed_in"]) == set(range(len(kinds))) - failed
    assert [each["flaky"] for each in result["failures"]] == [True, False]
    assert result["merged"] == of


def test_part_of_the_shards_and_several_nights_are_no_whole_plan():
    one, two = (document(Shard(at, 3).takes, shard=Shard(at, 3)) for at in (1, 2))
    assert merge(one, two)["shard"] is None
    assert merge(document(seed=1), document(seed=2))["shard"] is None


def test_remarks_are_told_once():
    one, two = document(seed=1), document(seed=2)
    one["remarks"], two["remarks"] = ["slow", "no fork"], ["no fork"]
    assert merge(one, two)["remarks"] == ["slow", "no fork"]


def test_pairs_never_seen_stay_unseen():
    result = merge(document(lambda step: step.index == 0), document(seed=6))
    assert result["pairs"]["unreachable"] == 50
    assert result["pairs"]["covered"] == 160


def test_the_bound_is_that_of_all_runs_together():
    clean = World(IDS)
    reports = [document(world=clean, seed=seed) for seed in (1, 2)]
    assert all(each["bound"]["clean_runs"] == 9 for each in reports)
    result = merge(*reports)
    assert result["bound"]["clean_runs"] == 18
    assert result["bound"]["failure_rate_below"] == pytest.approx(1 - 0.05 ** (1 / 18))
    assert merge(*reports, document())["bound"]["failure_rate_below"] is None


def test_a_merged_report_can_be_merged_again():
    one, two, three = (document(Shard(at, 3).takes) for at in (1, 2, 3))
    once, twice = merge(one, two, three), merge(merge(one, two), three)
    assert once["pairs"] == twice["pairs"]
    assert len(once["runs"]) == len(twice["runs"])
    assert once["bound"] == twice["bound"]


def test_an_interrupted_report_gives_what_it_has():
    whole, partial = document(seed=1), document(lambda step: step.index < 2, seed=2)
    empty = document(lambda _: False, seed=3)
    for each in (partial, empty):
        each["interrupted"] = True
    empty["suite"] = {"runner": "django", "tests": 0, "settings": ""}
    result = merge(empty, whole, partial)
    assert result["interrupted"] is True
    assert result["suite"] == whole["suite"]
    assert len(result["runs"]) == 9 + 2
    assert merge(empty)["runs"] == []


def test_a_test_that_no_report_but_one_saw_fail_passed_in_the_others():
    one = document(lambda step: step.index == 0)
    other = document(lambda step: step.index == 0, world=World(IDS), seed=6)
    died = document(
        lambda step: step.index == 0, world=World(IDS), seed=7, end=End.DIED
    )
    failures = {each["test"]: each for each in merge(one, other, died)["failures"]}
    assert failures["A.t0"]["failed_in"] == [0]
    assert failures["A.t0"]["passed_in"] == [1]
    assert failures["A.t0"]["flaky"] is True


def united(*findings):
    reports = [
        document(findings=[each], seed=number) for number, each in enumerate(findings)
    ]
    [finding] = merge(*reports)["findings"]
    return finding


def test_polluters_and_cleaners_are_united_and_what_is_more_than_needed_goes():
    finding = united(
        {"after": [["A.t3"]], "cleaners": ["A.t4"]},
        {"after": [["A.t1", "A.t2"], ["A.t3", "A.t4"]], "replay": "do it"},
        {"after": [["A.t3"]], "cleaners": ["A.t4", "B.t4"]},
    )
    assert finding["after"] == [["A.t3"], ["A.t1", "A.t2"]]
    assert finding["cleaners"] == ["A.t4", "B.t4"]
    assert finding["replay"] == "do it"
    assert finding["cost"] == {"runs": 60, "seconds": 1.5}


CHANCE = {
    "verdict": "non-deterministic",
    "after": [],
    "proof": {"alone": "0/5", "after": None, "isolated": None},
    "isolation_cures": None,
}
SEEN_ALONE = {**CHANCE, "proof": {"alone": "2/5", "after": None, "isolated": None}}
BROKEN = {
    **CHANCE,
    "verdict": "broken",
    "proof": {"alone": "5/5", "after": None, "isolated": None},
}


def test_what_was_proved_beats_what_was_not_seen_again():
    for findings in ([{}, CHANCE], [CHANCE, {}]):
        finding = united(*findings)
        assert (finding["verdict"], finding["after"]) == ("victim", [["A.t3"]])
        assert finding["proof"]["after"] == "5/5"


def test_chance_that_was_seen_alone_beats_every_accusation():
    for findings in ([{}, SEEN_ALONE], [SEEN_ALONE, {}], [BROKEN, SEEN_ALONE]):
        finding = united(*findings)
        assert (finding["verdict"], finding["after"]) == ("non-deterministic", [])


def test_a_test_that_fails_alone_here_and_passes_alone_there_has_no_polluter():
    finding = united({}, BROKEN)
    assert (finding["verdict"], finding["after"]) == ("non-deterministic", [])


def test_what_always_failed_in_one_report_and_passed_in_another_is_brittle():
    finding = united({**BROKEN, "test": "B.t1"})
    assert finding["verdict"] == "brittle"
    finding = united({**BROKEN, "test": "A.t0"})
    assert finding["verdict"] == "broken"


def test_conflicts_are_united_by_their_entry():
    entry = {"alias": "default", "key": "k", "version": 1}
    one, other = document(seed=1), document(seed=2)
    left, seen = {"test": "a", "at": "x:1"}, {"test": "b", "at": "y:2", "hit": True}
    one["conflicts"] = [{**entry, "left_by": [left], "seen_by": []}]
    other["conflicts"] = [{**entry, "left_by": [left], "seen_by": [seen]}]
    [conflict] = merge(one, other)["conflicts"]
    assert conflict == {**entry, "left_by": [left], "seen_by": [seen]}


def test_the_reports_are_left_as_they_were():
    reports = [document(findings=[{}], seed=seed) for seed in (1, 2)]
    before = copy.deepcopy(reports)
    merge(*reports)
    assert reports == before


TOOL, SUITE_OF = document()["tool"], document()["suite"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"suite": SUITE_OF | {"runner": "pytest"}},
            "--runner is pytest in the one, d",
        ),
        ({"tool": TOOL | {"version": "9"}}, "the tool's version is 9 in the one"),
    ],
)
def test_reports_of_something_else_are_refused(change, message):
    with pytest.raises(MergeError) as caught:
        merge(document(), document(seed=6) | change)
    assert str(caught.value).startswith("1.json and 0.json can't be merged: ")
    assert message in str(caught.value)
    assert "Merge reports of the same suite" in str(caught.value)


def test_reports_of_isolated_and_of_shared_caches_are_refused():
    other = document(seed=6)
    for run in other["runs"]:
        run["cache"] = "isolated"
    with pytest.raises(MergeError, match="--cache is isolated in the one, shared in"):
        merge(document(), other)


def test_reports_of_as_many_other_tests_are_refused():
    other = document(seed=6)
    other["pairs"]["coverage"]["ids"] = "another"
    with pytest.raises(MergeError, match="the list of tests is another in the one"):
        merge(document(), other)


def test_the_same_report_twice_is_refused():
    with pytest.raises(MergeError, match=r"0\.json and 1\.json are the same report"):
        merge(document(), document())


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"schema": 2}, "schema is 2, not 1"),
        ({"command": "audit"}, "command is 'audit', not 'stress'"),
        ({"pairs": COUNTED}, "Object missing required field `coverage` - at `$.pairs`"),
        ({"runs": [{}]}, "Object missing required field `index` - at `$.runs[0]`"),
        ({"tool": 3}, "Expected `object`, got `int` - at `$.tool`, which is 3"),
        ({"runs": None}, "Expected `array`, got `null` - at `$.runs`, which is null"),
        (
            {"pairs": {**COUNTED, "coverage": {"tests": 1}}},
            "Object missing required field `ids` - at `$.pairs.coverage`",
        ),
    ],
)
def test_what_is_no_report_of_stress_is_refused(change, found):
    with pytest.raises(MergeError) as caught:
        merge(document() | change)
    assert str(caught.value).startswith(f"0.json can't be merged: {found}")


@pytest.mark.parametrize("nothing", [{}, [], "report", None, 3])
def test_any_other_json_is_refused(nothing):
    with pytest.raises(MergeError, match="can't be merged"):
        merge(nothing)


def test_the_list_of_commands_has_the_whole_of_each_line():
    _, _, commands = CliRunner().invoke(cli, ["--help"]).output.partition("Commands:")
    assert "  merge " in commands
    assert "..." not in commands


def test_no_report_is_refused():
    with pytest.raises(MergeError, match="No report was named"):
        merge()


CLEAN = World(IDS)


@pytest.fixture
def exit_code(tmp_path):
    """What the command says of reports, as a number."""

    def of(*documents):
        paths = []
        for number, each in enumerate(documents):
            path = tmp_path / f"{number}.json"
            path.write_text(json.dumps(each), encoding="utf-8")
            paths.append(str(path))
        report = str(tmp_path / "merged")
        return CliRunner().invoke(command, ["--report", report, *paths]).exit_code

    return of


def test_a_clean_shard_and_one_that_ended_early_are_not_clean(exit_code):
    one, two = document(world=CLEAN, seed=1), document(world=CLEAN, seed=2)
    assert exit_code(one, two) == 0
    assert bounded(merge(one, two)).startswith("No test failed.")
    two["failure"] = "The process that forks has ended."
    assert exit_code(one, two) == 4
    assert merge(one, two)["failure"] == two["failure"]
    assert bounded(merge(one, two)) == ""
    del one["failure"]
    assert exit_code(one, two) == 4, "a report of an earlier version has none"


def test_what_was_found_without_a_failed_run_is_found(exit_code):
    beside = {"verdict": "cross-process", "after": []}
    one = document(world=CLEAN, seed=1, findings=[beside])
    assert exit_code(one, document(world=CLEAN, seed=2)) == 1


def test_what_is_brittle_is_found_and_what_is_broken_is_no_leak(exit_code):
    broken = World(IDS, broken={"A.t0"})
    finding = {"test": "A.t0", "after": []}
    one, two = (
        document(world=broken, findings=[finding | {"verdict": verdict}])
        for verdict in ("brittle", "broken")
    )
    assert [exit_code(one), exit_code(two)] == [1, 4]


def test_reports_without_a_run_are_a_merged_report_too(exit_code):
    nothing = document(lambda step: False, shard=Shard(1, 2)) | {"interrupted": True}
    other = document(lambda step: False, shard=Shard(2, 2))
    assert merge(other, nothing)["merged"] == 2
    assert merge(other, nothing)["interrupted"] is True
    assert exit_code(other, nothing) == 3
