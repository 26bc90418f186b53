"""``audit --from``: the report of what any test command recorded."""

import json

import pytest

TESTS = """
    from django.core.cache import cache
    from django.test import SimpleTestCase

    class Tests(SimpleTestCase):
        def test_leaves(self):
            cache.set("rate", 7)

        def test_looks(self):
            self.assertIsNone(cache.get("rate"))
    """
OF_RUNNERS = {
    "django": ("test", "--testrunner=ci_cache_isolation.runner.IsolatedRunner"),
    "pytest": ("test_rates.py",),
}


@pytest.fixture
def recorded(project):
    """A project whose ordinary test command has recorded what its tests did."""
    project.write("test_rates", TESTS)
    record(project, "django")
    return project


def record(project, runner, folder="noted"):
    run = project.manage if runner == "django" else project.pytest
    done = run(*OF_RUNNERS[runner], CI_CACHE_ISOLATION_AUDIT=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def audit(project, *arguments):
    return project.run("-m", "ci_cache_isolation", "audit", *arguments)


def report_of(project):
    path = project.path / ".cache-isolation" / "audit" / "report.json"
    return json.loads(path.read_text())


@pytest.mark.parametrize("runner", OF_RUNNERS)
def test_a_leak_of_an_earlier_run_is_proved(project, runner):
    project.write("test_rates", TESTS)
    record(project, runner)
    before = {each: each.read_bytes() for each in (project.path / "noted").iterdir()}
    done = audit(project, "--from", "noted", "--runner", runner)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.startswith(
        f"Audit with {runner} of what was recorded in {project.path}/noted.\n"
    )
    assert "2 tests: 1 conflict, where one test leaves" in done.stdout
    report = report_of(project)
    [finding] = report["findings"]
    assert finding["state"]["key"] == "rate"
    assert finding["proof"] == {"alone": "0/5", "after": "5/5", "isolated": "0/5"}
    assert not (project.path / ".cache-isolation" / "audit" / "suite.log").exists()
    after = {each: each.read_bytes() for each in (project.path / "noted").iterdir()}
    assert after == before


def test_its_conflicts_are_read_without_running_anything(recorded):
    (recorded.path / "test_rates.py").write_text("raise AssertionError('imported')")
    done = audit(recorded, "--from", "noted", "--no-confirm", "--fail-on=possible")
    assert (done.returncode, done.stderr) == (1, "")
    [conflict] = report_of(recorded)["conflicts"]
    assert (conflict["alias"], conflict["key"]) == ("default", "rate")


def test_tests_that_are_gone_are_said_not_to_be_put_to_the_test(recorded):
    recorded.write("test_more", TESTS)
    record(recorded, "django", folder="more")
    (recorded.path / "test_rates.py").unlink()
    done = audit(recorded, "--from", "more")
    remark = (
        "Recorded were 2 tests that django does not find now, such as "
        "test_rates.Tests.test_leaves: they could not be put to the test. Run this "
        "where they were recorded, with the same labels and --runner."
    )
    assert remark in done.stdout.splitlines(), done.stdout + done.stderr
    # Of those nothing can be said.
    done = audit(recorded, "--from", "noted")
    assert done.returncode == 4, done.stdout + done.stderr
    assert remark in done.stderr


@pytest.mark.parametrize("folder", ["nowhere", "settings.py", "."])
def test_a_folder_without_records_is_refused(recorded, folder):
    done = audit(recorded, "--from", folder)
    path = (recorded.path / folder).absolute()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"cache-isolation: --from names {path}, in which nothing is recorded. An audit "
        f"reads what tests did there. Put CI_CACHE_ISOLATION_AUDIT={path} in front of "
        "your test command, and run it with isolation on.\n"
    )


def test_notes_that_the_audit_would_empty_are_refused(recorded):
    notes = recorded.path / ".cache-isolation" / "audit" / "notes"
    record(recorded, "django", folder=str(notes))
    files = list(notes.iterdir())
    done = audit(recorded, "--from", ".cache-isolation/audit/notes")
    assert (done.returncode, done.stdout) == (2, "")
    assert "which this audit empties for its own notes" in done.stderr
    assert list(notes.iterdir()) == files
