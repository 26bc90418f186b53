"""A stress run dealt out over two machines, and its reports joined again."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.commands import copied

in_one_worker = pytest.mark.xdist_group("test_shards")
SHARDS = [f"{number}/2" for number in range(1, 3)]
OPTIONS = (
    *("--runner", "django", "--cache", "shared", "--orders", 4, "--split", 0),
    *("--seed", 0, "--processes", 1),
)


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    """The project in which the whole plan was run, and its two parts."""
    project = copied("small", tmp_path_factory.mktemp("sharded"))

    def run(shard):
        report = f"report-{shard[0]}" if shard else "whole"
        options = ("--shard", shard) if shard else ()
        return project.stress(
            *OPTIONS, *options, "--report", report, "cases.test_leaking"
        )

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, ["", *SHARDS]))
    assert [(each.code, each.err) for each in done if each.code not in (0, 1)] == []
    return project


def reports():
    return [f"report-{number}" for number in range(1, 3)]


def read(project, folder):
    return json.loads((project.folder / folder / "report.json").read_text("utf-8"))


def runs(document):
    return Counter(
        (run["kind"], run["seed"], run["reversed"], tuple(sorted(run["failed"])))
        for run in document["runs"]
    )


def verdicts(document):
    return {
        each["test"]: (each["verdict"], each["after"]) for each in document["findings"]
    }


@in_one_worker
def test_two_shards_come_to_what_one_run_comes_to(sharded):
    done = sharded.merge("--report", "merged", *reports())
    assert (done.code, done.err) == (1, "")
    whole, merged = read(sharded, "whole"), read(sharded, "merged")
    assert merged["shard"] == "1/1"
    assert merged["pairs"] == whole["pairs"]
    # Each shard has run the suite's own order, which says which tests there are.
    forward = {each: 1 for each in runs(whole) if each[0] == "forward"}
    assert runs(merged) - runs(whole) == Counter(forward)
    assert runs(whole) - runs(merged) == Counter()
    assert len(verdicts(whole)) == 2
    assert verdicts(merged) == verdicts(whole)
    for test in verdicts(whole):
        assert f"{test}: victim" in done.out
    assert "4 tests, 8 runs of 2 reports." in done.out
    for folder in ("merged", "whole", *reports()):
        text = (sharded.folder / folder / "summary.md").read_text("utf-8")
        assert text.startswith("## Stress\n")


@in_one_worker
def test_shards_have_the_plan_among_them_and_nothing_but_forward_twice(sharded):
    kinds = [
        Counter(run["kind"] for run in read(sharded, each)["runs"])
        for each in reports()
    ]
    assert all(each["forward"] == 1 for each in kinds)
    assert sum(each["reverse"] for each in kinds) == 1
    assert sum(each["twice"] for each in kinds) == 1
    indexes = [
        {run["index"] for run in read(sharded, each)["runs"]} - {0}
        for each in reports()
    ]
    assert indexes == [{1, 3, 5}, {2, 4, 6}]


@in_one_worker
def test_reports_of_two_suites_are_refused(sharded):
    other = read(sharded, "report-2")
    other["suite"]["tests"] = 5
    (sharded.folder / "other.json").write_text(json.dumps(other))
    done = sharded.merge("--report", "no", "report-1", "other.json")
    assert (done.code, done.out) == (2, "")
    assert "other.json and report-1/report.json can't be merged: the nu" in done.err
    assert not (sharded.folder / "no").exists()


@in_one_worker
def test_the_same_report_twice_is_refused(sharded):
    done = sharded.merge("--report", "no", "report-1", "report-1/report.json")
    assert (done.code, done.out) == (2, "")
    assert "are the same report" in done.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "file.json holds no report. Only what 'cache-isolation stress'"),
        ("[]", "file.json holds no report."),
        ("{}", "file.json can't be merged: Object missing required field `schema`."),
        ('{"schema": 1, "command": "audit"}', "command is 'audit', not 'stress'"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, text, message):
    project = copied("small", tmp_path)
    (project.folder / "file.json").write_text(text)
    done = project.merge("file.json")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shard", "5/4"], "'5/4' is no shard. Write 1/4 to 4/4 for four"),
        (["--shard", "0/4"], "'0/4' is no shard."),
        (["--shard", "half"], "'half' is no shard."),
        (["--shard", "1/2"], "--shard 1/2 has no --seed. Every shard has to plan"),
    ],
)
def test_a_shard_that_is_none_is_a_usage_error(tmp_path, arguments, message):
    project = copied("small", tmp_path)
    done = project.stress(*arguments)
    assert (done.code, done.out) == (2, "")
    # click breaks its own lines.
    assert message in " ".join(done.err.replace("│", " ").split())
    assert not (project.folder / ".cache-isolation").exists()
