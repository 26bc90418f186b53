"""The workflows: their own lines run as GitHub would, machines being folders."""

import importlib.util
import re
import shutil
import sysconfig
from pathlib import Path

import pytest

from tests.commands import PROJECTS
from tests.generated.project import generate
from tests.workflows import Workflow, logs, machine, results

ROOT = Path(__file__).parents[3]
OF_TEMPLATE = ROOT / "template" / "{{cookiecutter.project_slug}}" / ".github/workflows"
[NIGHTLY] = OF_TEMPLATE.glob("*stress.yml*")
SMALL = {"shards": 2, "orders": 2, "minutes": 2, "seed": 0}
CALLED = ROOT / ".github" / "workflows" / "stress.yml"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The environment of a machine that has what this one has installed."""
    folder = tmp_path_factory.mktemp("machine")
    return machine(folder / "venv", sysconfig.get_path("purelib"))


@pytest.fixture(scope="module")
def generated(request, tmp_path_factory):
    """A project made from the template."""
    # All answers as they are offered, but what runs the checks where a test says so.
    answers = {"task_runner": getattr(request, "param", "nox")}
    return generate(answers, tmp_path_factory.mktemp("generated")).folder


def source(repository):
    """Return where it takes this package from, as it wants to be told."""
    if (repository / "noxfile.py").exists():
        return str(ROOT)
    return f"ci-cache-isolation[stress,pytest,server] @ {ROOT.as_uri()}"


@pytest.fixture
def nightly(generated, environment, tmp_path):
    def run(inputs=None, **options):
        more = options.pop("environment", {})
        repository = options.pop("repository", generated)
        return Workflow(
            repository / ".github" / "workflows" / "stress.yml",
            repository,
            tmp_path / "night",
            environment | more,
            inputs=inputs or {},
            variables={"CI_CACHE_ISOLATION_SOURCE": source(repository)},
            **options,
        ).run()

    return run


GREEN = {"plan": ["success"], "shard": ["success"] * 2, "merge": ["success"]}
# A shard that found something hands its report over; merge decides.
FOUND = GREEN | {"merge": ["failure"]}






def test_a_night_of_a_generated_project_is_green(nightly):
    done = nightly(SMALL)
    assert results(done) == GREEN, logs(done)
    [plan], [merge] = done["plan"], done["merge"]
    assert plan.outputs["seed"] == "7"
    assert "caches isolated, seed 7." in merge.summary
    assert "of 2 reports." in merge.summary
    assert "No test failed." in merge.summary
    assert "::error" not in logs(done)


@pytest.mark.parametrize("generated", ["nox", "tox"], indirect=True)
def test_without_isolation_merge_fails_and_names_the_lines_that_leak(
    nightly, generated, tmp_path
):
    some = tmp_path / "some"
    shutil.copytree(generated, some)
    for path in some.glob("tests/test_*.py"):
        if path.name != "test_offers.py":
            path.unlink()
    off = {"CI_CACHE_ISOLATION": "off"}
    done = nightly(SMALL, environment=off, repository=some)
    assert results(done) == FOUND, logs(done)
    [merge] = done["merge"]
    assert [each.summary for each in done["shard"]] == ["", ""], "merge tells it, once"
    assert "caches shared, seed 7." in merge.summary
    leaks = re.findall(r"^### \d+\. victim: `([^`]+)`", merge.summary, re.MULTILINE)
    assert any(carrier.startswith("'offer:") for carrier in leaks), leaks
    assert merge.summary.count("```sh\n") >= len(leaks) / 2
    assert "tests.test_offers." in merge.summary
    lines = re.findall(r"^::error file=([^,]+),line=(\d+),", merge.log, re.MULTILINE)
    assert 2 <= len(lines) <= 10
    for file, line in lines:
        text = (generated / file).read_text(encoding="utf-8").splitlines()
        assert text[int(line) - 1].strip()
    assert {file.split("/")[0] for file, _ in lines} <= {"shop", "tests"}


@pytest.fixture
def called(environment, tmp_path):
    """The workflow that anybody calls, on the small project."""

    def run(*, labels="cases.test_leaking", **options):
        ignored = shutil.ignore_patterns("__pycache__", ".cache-isolation", "*.sqlite3")
        repository = tmp_path / "repository"
        if not repository.exists():
            shutil.copytree(PROJECTS / "small", repository, ignore=ignored)
        inputs = {
            "python": "3.13",
            "requirements": "django\nci-cache-isolation[stress]\n",
            "runner": "django",
            "settings": "",
            "labels": labels,
            "cache": "shared",
            "shards": 2,
            "orders": 2,
            "minutes": 2,
        }
        folder = tmp_path / "called"
        return Workflow(
            CALLED, repository, folder, environment, inputs=inputs, **options
        ).run()

    return run


def test_anybody_may_call_it_and_gets_leaks_named(called, tmp_path):
    done = called()
    assert results(done) == FOUND, logs(done)
    [merge] = done["merge"]
    assert "Judged: 2 victims." in merge.summary
    assert "::error file=" in merge.log
    names = sorted(each.name for each in (tmp_path / "called" / "artifacts").iterdir())
    assert len(names) == 3
    assert all("-attempt-2" in name for name in names)


def test_a_shard_that_left_no_report_is_named_and_fails(called):
    done = called(labels="cases.test_clean", lost="*-2-attempt-*")
    assert results(done)["merge"] == ["failure"], logs(done)
    [merge] = done["merge"]
    assert "::error::Shard 2 of 2 left no report: see its job." in merge.log
    assert "of 1 report." in merge.summary


def test_labels_are_words_and_run_nothing(called, tmp_path):
    done = called(labels="$(touch evil) `touch evil`; touch evil *")
    assert results(done)["merge"] == ["failure"]
    assert list(tmp_path.rglob("evil")) == []
    [merge] = done["merge"]
    assert merge.log.count("left no report") == 2


