"""How ``nox -s mutants`` picks tests, tries mutants and counts; no process is run."""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants import table
from tests.mutants.mutant import Mutant
from tests.mutants.options import parsed
from tests.mutants.picking import Picker, imports
from tests.mutants.processes import TIMED_OUT
from tests.mutants.reach import Reach, TestReach
from tests.mutants.recording import dealt
from tests.mutants.report import Ended, Report
from tests.mutants.results import Result, Results, share
from tests.mutants.trying import Trial

PATH = "ci_cache_isolation/stress/rows.py"
ALL = ("unit", "system", "exhaustive")


def mutant(id_, path=PATH, **fields):
    given = {"lines": (5, 5), "statement": (4, 6), "holder": (1, 9)} | fields
    return Mutant(id_, path, id_.split(":")[2], (0, 1), "", is_at_import=False, **given)


def reach(**lines):
    """Tests by name, with the lines that they run of modules by name."""
    tests = {
        test.replace("__", "::"): TestReach(
            1.0,
            {f"ci_cache_isolation/{n}.py": frozenset(each) for n, each in of.items()},
        )
        for test, of in lines.items()
    }
    return Reach(tests, {})


def picked(mutant, most=40, imported_by=(), **lines):
    return Picker(reach(**lines), dict(imported_by), most).pick(mutant)


def result(id_, level, *tried):
    place = f"ci_cache_isolation/{id_.split('.')[0]}/rows.py:5"
    return Result(
        id_, place, "number", "a = 1", "a = 2", level, tried=dict.fromkeys(tried, "1")
    )


def test_tests_that_run_the_line_are_picked_the_most_specific_first():
    rows = mutant("stress.rows:5:not")

    found = picked(
        rows,
        t_wide={"stress/rows": [5], "stress/plan": range(50)},
        t_other={"stress/rows": [9]},
        t_close={"stress/rows": [5, 6], "stress/plan": [1]},
        t_rows__t={"stress/rows": [5], "stress/plan": range(60)},
    )

    assert found.tests == ("t_rows::t", "t_close", "t_wide")
    assert found.seconds == 3.0


def test_tests_of_the_statement_are_picked_if_none_runs_the_line_itself():
    assert picked(mutant("stress.rows:5:not"), t={"stress/rows": [6]}).tests == ("t",)


def test_what_every_test_runs_makes_none_specific():
    found = picked(
        mutant("stress.rows:5:not"),
        t_empty={"stress/rows": [5]},
        t_of_it={"stress/rows": [5, 6], "stress/plan": [1]},
        t_a={"stress/rows": [5], "stress/plan": [2]},
    )

    assert found.tests[0] == "t_of_it"


def test_a_test_of_each_function_comes_first_and_too_many_are_left_out():
    lines = {"stress/rows": [5]}
    tests = {f"t__a[{number}]": lines for number in range(3)} | {"t__b": lines}

    found = picked(mutant("stress.rows:5:not"), most=2, **tests)

    assert (found.tests, found.left_out) == (("t::a[0]", "t::b"), 2)


def test_what_runs_at_import_is_tried_by_tests_of_what_is_around_it():
    at_import = replace(mutant("stress.rows:5:not", holder=(4, 7)), is_at_import=True)
    inside, outside = {"stress/rows": [7]}, {"stress/rows": [8]}
    importer = {"stress/plan": [1]}
    imported_by = {PATH: {"ci_cache_isolation/stress/plan.py"}}

    def names(**tests):
        return picked(at_import, imported_by=imported_by, **tests).tests

    assert names(t_in=inside, t_out=outside, t_importer=importer) == ("t_in",)
    assert names(t_out=outside, t_importer=importer) == ("t_out",)
    assert names(t_importer=importer, t={"stress/other": [1]}) == ("t_importer",)


def test_importers_are_found_by_either_way_of_importing():
    a, b, c = (f"ci_cache_isolation/{name}.py" for name in "abc")
    sources = {
        a: "x = 1",
        b: "from ci_cache_isolation.a import x",
        c: "from ci_cache_isolation import a\nimport os",
    }

    assert imports(sources) == {a: {b, c}}


def test_what_tests_run_is_kept_in_a_file(tmp_path):
    found = Reach(
        {"t": TestReach(0.5, {"a.py": frozenset({1, 2, 3, 7, 9, 10})})}, {"u": "failed"}
    )

    found.write(tmp_path / "new" / "reach.json")

    assert Reach.read(tmp_path / "new" / "reach.json") == found
    assert '"1-3,7,9-10"' in (tmp_path / "new" / "reach.json").read_text()


def test_files_are_dealt_out_by_size():
    assert dealt({"a": 5, "b": 4, "c": 3, "d": 1}, 2) == [["a", "d"], ["b", "c"]]


def test_a_report_says_what_ended_and_what_was_running(tmp_path):
    said = [
        {"begun": "a"},
        {"ended": "a", "outcome": "failed", "seconds": 1.5, "contexts": [1, 3]},
        {"begun": "b"},
    ]
    path = tmp_path / "report"
    path.write_text("".join(json.dumps(each) + "\n" for each in said) + '{"ended": "')

    report = Report.read(path)

    assert report == Report({"a": Ended("failed", 1.5, (1, 3))}, "b")
    assert report.failed == ["a"]
    assert Report.read(tmp_path / "none") == Report({}, None)


def test_interrupted_results_are_gone_on_with_for_the_same_project_only(tmp_path):
    path = tmp_path / "results.json"
    Results(path, {"project": "a"}).add(result("stress.rows:5:number", None, "unit"))

    same, other = Results(path, {"project": "a"}), Results(path, {"project": "b"})

    assert same.resume()
    assert not other.resume()
    [kept] = same.by_id.values()
    assert kept.is_known(["unit"])
    assert not kept.is_known(ALL)
    assert Results(tmp_path / "none.json", {}).resume()


@pytest.mark.parametrize(
    ("results", "shares"),
    [
        ([("unit",), ("system",), ("exhaustive",), (None, *ALL)], (2 / 3, 2 / 3)),
        ([("unit",), (None, "unit", "system")], (1 / 2, 1)),
        ([("unit",), (None, *ALL)], (1, 1)),
        ([], (1, 1)),
    ],
)
def test_a_survivor_counts_as_open_until_all_levels_are_tried(results, shares):
    found = [result("a.b:1:number", *each) for each in results]

    assert share(found, ALL) == shares


class FakeSlot:
    """Runs of pytest with a mutant, and of single tests without it, one by one."""

    def __init__(self, *runs, steady=True):
        self.runs = list(runs)
        self.steady = steady
        self.asked = []
        self.is_changed = False

    @contextmanager
    def changed(self, mutant):
        self.is_changed = True
        yield
        self.is_changed = False

    def run(self, arguments, *, seconds):
        if not self.is_changed:
            return int(not self.steady), Report({}, None)
        self.asked.append(arguments)
        code, failed, running = self.runs.pop(0)
        tests = {test: Ended("failed", 1.0, ()) for test in failed}
        return code, Report(tests, running)


@pytest.mark.parametrize(
    ("runs", "level", "test", "how"),
    [
        ([(1, ["t_a"], None)], "unit", "t_a", "failed"),
        ([(0, [], None), (1, ["t_b"], None)], "system", "t_b", "failed"),
        ([(TIMED_OUT, [], "t_a")], "unit", "t_a", "timeout"),
        ([(4, [], None)], "unit", None, "pytest ends with 4"),
        ([(0, [], None), (0, [], None)], None, None, ""),
        ([(5, [], None), (0, [], None)], None, None, ""),
    ],
)
def test_a_mutant_is_tried_on_each_level_until_a_test_fails(runs, level, test, how):
    lines = {"stress/rows": [5]}
    pickers = {
        "unit": Picker(reach(t_a=lines), {}, 40),
        "system": Picker(reach(t_b=lines), {}, 40),
    }
    slot = FakeSlot(*runs)

    new = result("stress.rows:5:not", None)
    found = Trial(pickers, 60).try_out(mutant(new.id), new, slot)

    assert (found.level, found.test, found.how) == (level, test, how)
    assert list(found.tried) == list(pickers)[: len(runs)]
    assert slot.runs == []
    assert new.tried == {}


def test_a_test_that_fails_without_the_mutant_too_kills_none():
    lines = {"stress/rows": [5]}
    picker = Picker(reach(t_a=lines, t_b=lines), {}, 40)
    slot = FakeSlot((1, ["t_a"], None), (0, [], None), steady=False)

    new = result("stress.rows:5:not", None)
    found = Trial({"system": picker}, 60).try_out(mutant(new.id), new, slot)

    assert (found.level, found.unsteady) == (None, ["t_a"])
    assert slot.asked == [["-x", "t_a", "t_b"], ["-x", "t_b"]]


def test_levels_that_were_tried_before_are_not_tried_again():
    picker = Picker(reach(t_a={"stress/rows": [5]}), {}, 40)
    old = result("stress.rows:5:not", None, "unit")

    found = Trial({"unit": picker}, 60).try_out(mutant(old.id), old, FakeSlot())

    assert found == old


def test_tests_that_fail_anyway_are_counted_by_file():
    why = {"t.py::a": "failed", "t.py::b": "failed", "t.py::c": "skipped"}

    assert list(table.left_out(why)) == ["  t.py: 2 fail without a mutant"]


def test_the_table_has_a_row_for_each_package_and_names_what_is_missed():
    results = [
        result("audit.rows:5:number", "unit"),
        result("stress.rows:5:number", None, "unit", "system"),
    ]

    assert "\n".join(table.lines(results, ["unit", "system"])) == (
        "package        mutants        unit      system        none\n"
        "audit                1           1           0           0\n"
        "stress               1           0           0           1\n"
        "all                  2           1           0           1\n"
        "\n"
        "Not killed by unit and system tests:\n"
        "  ci_cache_isolation/stress/rows.py:5  stress.rows:5:number  none\n"
        "    - a = 1\n"
        "    + a = 2\n"
        "    unit: 1; system: 1\n"
        "\n"
        "Unit and system tests kill 50.0% to 100.0% of what all levels kill: "
        "exhaustive not tried."
    )


def test_options_name_levels_and_where_their_tests_are():
    options = parsed(
        ["--cache=a", "--levels=system,unit", "--paths=unit=b,c", "--shard=2/3"]
    )

    assert options.paths == {"unit": ("b", "c"), "system": ("tests/system",)}
    assert options.shard == (2, 3)
    assert options.out == Path("a/results.json")


@pytest.mark.parametrize("option", ["--levels=slow", "--shard=4/3", "--paths=unit"])
def test_options_that_make_no_sense_are_refused(option, capsys):
    with pytest.raises(SystemExit):
        parsed(["--cache=a", option])

    assert option.partition("=")[0] in capsys.readouterr().err or "slow" in option
