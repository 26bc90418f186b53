"""The workflows: their own lines run as GitHub would, machines being folders."""

import importlib.util
import json
import re
import shutil
import sysconfig
import tomllib
from pathlib import Path

import pytest

from tests.commands import PROJECTS
from tests.generated.project import generate
from tests.workflows import Workflow, logs, read, results

ROOT = Path(__file__).parents[3]
OF_TEMPLATE = ROOT / "template" / "{{cookiecutter.project_slug}}" / ".github/workflows"
FILES = [
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    *sorted(OF_TEMPLATE.glob("*.yml*")),
]
[NIGHTLY] = OF_TEMPLATE.glob("*stress.yml*")
SMALL = {"shards": 2, "orders": 2, "minutes": 2, "seed": 0}
CI = ROOT / ".github" / "workflows" / "ci.yml"
WEEKLY = ROOT / ".github" / "workflows" / "weekly.yml"
# Prints what it is asked for, and fails where the environment says so.
STAND_IN = """#!/bin/bash
echo "$*"
case "$*" in *"$FAILS") exit 1 ;; esac
"""


def without_jinja(path, folder):
    """Read a workflow of the template as if all conditions held at once."""
    text = re.sub(r"\{%.*?%\}", "", path.read_text(encoding="utf-8"))
    copy = folder / "workflow.yml"
    copy.write_text(text, encoding="utf-8")
    return read(copy)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_actions_are_pinned_inputs_only_in_env_and_nothing_is_permitted(path, tmp_path):
    text = path.read_text(encoding="utf-8")
    for line in text.splitlines():
        if "uses:" in line:
            assert re.search(
                r"uses: actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line
            )
    document = without_jinja(path, tmp_path)
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert job["timeout-minutes"]
        assert job["permissions"] in ({}, {"contents": "read"})
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_both_stress_workflows_pin_what_ci_pins():
    pins = {}
    for path in FILES:
        for action, pin in re.findall(r"uses: (\S+)@(\S+)", path.read_text("utf-8")):
            pins.setdefault(action, set()).add(pin)
    assert {action for action, used in pins.items() if len(used) > 1} == set()












@pytest.mark.parametrize(
    ("inputs", "event", "planned"),
    [
        (SMALL | {"seed": 3}, {}, (2, 2, 2, 3)),
        (SMALL, {"number": 11}, (2, 2, 2, 7)),
        ({}, {"number": 11}, (1, 10, 2, 11)),
        ({}, {}, (4, 100, 20, 7)),
    ],
    ids=["asked for", "called by a pull request", "pull request", "schedule"],
)
def test_the_plan_is_what_was_asked_for_or_fits_the_event(
    inputs, event, planned, tmp_path, environment_of_bash
):
    path = tmp_path / "stress.yml"
    text = NIGHTLY.read_text(encoding="utf-8")
    jobs = re.sub(r"\{%.*?%\}", "", text).partition("  shard:\n")[0]
    path.write_text(jobs, encoding="utf-8")
    folder = tmp_path / "plan"
    workflow = Workflow(
        path, tmp_path, folder, environment_of_bash, inputs=inputs, event=event
    )
    [plan] = workflow.run()["plan"]
    shards, orders, minutes, seed = planned
    assert plan.outputs == {
        "matrix": json.dumps(list(range(1, shards + 1)), separators=(",", ":")),
        "shards": str(shards),
        "orders": str(orders),
        "minutes": str(minutes),
        "seed": str(seed),
    }


@pytest.fixture
def environment_of_bash():
    return {"PATH": "/usr/bin:/bin"}




@pytest.fixture(scope="module")
def noxfile():
    spec = importlib.util.spec_from_file_location("noxfile", ROOT / "noxfile.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pairs(noxfile):
    """All pairs of Python and Django that are supported, the newest last."""
    table = noxfile.PYTHONS_OF_DJANGO
    return [(python, django) for django, all_ in table.items() for python in all_]


def test_ci_tests_every_pair_of_python_and_django(pairs):
    rows = read(CI)["jobs"]["tests"]["strategy"]["matrix"]["include"]
    assert [(row["python"], row["django"]) for row in rows] == pairs
    sessions = [f"matrix(python{python}-django{django})" for python, django in pairs]
    # It runs the same tests.
    sessions[-1] = "coverage"
    assert [row["session"] for row in rows] == sessions


def test_the_package_names_each_python_and_each_django_that_it_supports(pairs):
    with (ROOT / "pyproject.toml").open("rb") as file:
        classifiers = tomllib.load(file)["project"]["classifiers"]
    for prefix, versions in (
        ("Programming Language :: Python :: 3.", {python[2:] for python, _ in pairs}),
        ("Framework :: Django :: ", {django for _, django in pairs}),
    ):
        named = {
            each.removeprefix(prefix) for each in classifiers if each.startswith(prefix)
        }
        assert named == versions


@pytest.fixture
def stood_in(tmp_path):
    """Run a workflow with stand-ins for all that it calls."""

    def run(path, *, fails="no session"):
        programs = tmp_path / "programs"
        programs.mkdir(exist_ok=True)
        for name in ("python", "sudo"):
            (programs / name).write_text(STAND_IN)
            (programs / name).chmod(0o755)
        (tmp_path / "repository").mkdir(exist_ok=True)
        environment = {"PATH": f"{programs}:/usr/bin:/bin", "FAILS": fails}
        folder = tmp_path / "machines"
        return Workflow(path, tmp_path / "repository", folder, environment).run()

    return run


def sessions_of(done):
    """Return the sessions of each job, and their arguments."""
    return {
        name: [re.findall("^-m nox -s (.+)$", each.log, re.MULTILINE) for each in jobs]
        for name, jobs in done.items()
    }


def minutes_of(session, noxfile):
    """Return how long a session takes, as ``nox -l`` says it."""
    name, _, arguments = session.partition(" -- ")
    function = getattr(noxfile, name.partition("(")[0].replace("-", "_"))
    said = re.search(r": (\d+) (seconds?|minutes?)\b", function.__doc__)
    number, unit = said.groups()
    minutes = int(number) / (60 if unit.startswith("second") else 1)
    part = re.search(r"--part \d/(\d)$", arguments)
    return minutes / int(part[1]) if part else minutes


@pytest.mark.parametrize("path", [CI, WEEKLY], ids=lambda path: path.stem)
def test_each_job_runs_one_session_and_has_twice_the_time_that_it_takes(
    path, stood_in, noxfile
):
    jobs = read(path)["jobs"]
    for name, entries in sessions_of(stood_in(path)).items():
        for sessions in entries:
            assert len(sessions) == (name != "green")
            for session in sessions:
                minutes = minutes_of(session, noxfile)
                assert jobs[name]["timeout-minutes"] >= 2 * minutes, session


def test_parts_of_a_session_are_all_run(stood_in):
    sessions = sessions_of(stood_in(CI))
    for name, option, count in (
        ("exhaustive", "--part", 3),
        ("template", "--shard", 6),
    ):
        assert sorted(sessions[name]) == [
            [f"{name} -- {option} {number}/{count}"] for number in range(1, count + 1)
        ]


@pytest.mark.parametrize(
    ("fails", "result"),
    [("no session", "success"), ("-s lowest", "failure"), ("--part 2/3", "failure")],
)
def test_ci_is_green_if_all_its_jobs_are(stood_in, fails, result):
    done = stood_in(CI, fails=fails)
    assert results(done)["green"] == [result], logs(done)


def test_what_may_fail_is_shown_in_the_weekly_summary(stood_in):
    done = stood_in(WEEKLY, fails="-s django-main")
    assert [each.summary for each in done["others"]] == [
        "nox -s django-main, failure\n",
        "nox -s peers, success\n",
    ]
    assert read(WEEKLY)["jobs"]["others"]["continue-on-error"] is True
    assert results(done)["exhaustive"] == ["success"]
