"""The template for an existing project: what its sessions and the README's commands do."""

import re
import shlex

import pytest

from tests.existing import (
    NOX,
    ROOT,
    RUNNER,
    SETTINGS,
    WORKFLOW,
    added,
    made_pytest_site,
    made_site,
    made_site_with_a_runner,
)

README = (ROOT / "README.md").read_text("utf-8")
_, _, SECTION = README.partition("\n## Add it to an existing project\n")
COMMANDS = re.findall(r"^(?:cookiecutter|nox) .*", SECTION, re.MULTILINE)


@pytest.fixture
def site(tmp_path):
    return made_site(tmp_path / "my-site")


def test_the_readmes_commands_add_files_and_change_none(site):
    (site.folder.parent / "ci-cache-isolation").symlink_to(ROOT)
    before = site.files()
    adopt, *sessions = COMMANDS
    assert len(sessions) == 3
    config = str(site.config())
    # All answers as they are offered.
    done = site.python(
        *("-m", *shlex.split(adopt)), typed=4 * "\n", COOKIECUTTER_CONFIG=config
    )
    assert added(site, done, before) == [WORKFLOW, RUNNER, SETTINGS, NOX]
    for command in sessions:
        # Here and now: this checkout is installed already.
        words = (*shlex.split(command), "--no-venv", "--no-install")
        added(site, site.python("-m", *words), before)


def test_its_audit_names_the_leak_and_its_stress_finds_none(site):
    assert site.adopt().returncode == 0
    audit = site.session("audit")
    assert audit.returncode == 0, audit.stderr
    assert "Leak 1 of 1: 'key' in cache 'default'" in audit.stdout
    # What it prints can be copied: the settings are named.
    [command] = re.findall(
        r"CI_CACHE_ISOLATION_SCOPE=process python (.*)", audit.stdout
    )
    assert "--settings=mysite.settings_cache_isolation" in command
    again = site.python(*command.split(), CI_CACHE_ISOLATION_SCOPE="process")
    assert "FAILED (failures=1)" in again.stderr
    stress = site.session("stress", "--orders", "2", "--", "mysite")
    assert stress.returncode == 0, stress.stdout + stress.stderr
    assert "2 tests, " in stress.stdout


def test_stress_keeps_a_runner_of_its_own(tmp_path):
    site = made_site_with_a_runner(tmp_path / "my-site")
    assert site.adopt().returncode == 0
    done = site.session("stress")
    assert done.returncode == 0, done.stderr


def test_a_pytest_projects_audit_names_the_leak_and_its_stress_finds_none(tmp_path):
    site = made_pytest_site(tmp_path / "my-site")
    assert site.adopt().returncode == 0
    audit = site.session("audit")
    assert audit.returncode == 0, audit.stderr
    assert "Leak 1 of 1: 'key' in cache 'default'" in audit.stdout
    stress = site.session("stress", "--orders", "2")
    assert stress.returncode == 0, stress.stdout + stress.stderr
