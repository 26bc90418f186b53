"""Updates: cruft brings a project from the template to what the template is now."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.generated.older import replace, undo_some_changes
from tests.generated.rows import TEMPLATE

pytestmark = pytest.mark.xdist_group("test_template_updates")

README = (TEMPLATE.parent / "README.md").read_text(encoding="utf-8")
_, _, IN_README = README.partition("\n### Keep it current\n")
CREATE, CHECK, UPDATE = re.findall(r"^cruft .*", IN_README, re.MULTILINE)
OF_LINT = '    session.run("ruff", "check")\n'
SETTINGS = {
    "user.name": "Somebody",
    "user.email": "somebody@example.org",
    "init.defaultBranch": "main",
}


@dataclass
class Desk:
    """A folder with a repository of the template, and projects from it beside."""

    folder: Path

    def configure(self):
        """Write a configuration for cookiecutter, which else writes into the home."""
        (self.folder / "cookiecutter.yaml").write_text(
            f"cookiecutters_dir: {self.folder / 'templates'}\n"
            f"replay_dir: {self.folder / 'replay'}\n"
        )

    def run(self, command, folder=".", typed="", expected=0):
        """Run a command as it is typed there, and say what it prints."""
        settings = SETTINGS | {
            f"url.{self.folder}/.insteadOf": "https://github.com/OWNER/"
        }
        own = {
            "COOKIECUTTER_CONFIG": str(self.folder / "cookiecutter.yaml"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            # Nothing of whoever runs this.
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        for number, (name, value) in enumerate(settings.items()):
            own |= {f"GIT_CONFIG_KEY_{number}": name}
            own |= {f"GIT_CONFIG_VALUE_{number}": value}
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_", "COOKIECUTTER_"))
        }
        done = subprocess.run(
            shlex.split(command),
            cwd=self.folder / folder,
            env=inherited | own,
            input=typed,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        assert done.returncode == expected, done.stdout + done.stderr
        return done.stdout

    def commit(self, folder):
        self.run("git add --all", folder)
        self.run("git commit --quiet --message=Changed", folder)

    def files(self, folder="corner_shop"):
        """Return what lies there, but for what git and cruft keep for themselves."""
        return {
            path.relative_to(self.folder / folder).as_posix(): path.read_bytes()
            for path in sorted((self.folder / folder).rglob("*"))
            if path.is_file()
            and path.name != ".cruft.json"
            and ".git" not in path.relative_to(self.folder / folder).parts
        }


@pytest.fixture(scope="module")
def first_desk(tmp_path_factory):
    """A project, under git, from a template that has been changed since."""
    folder = tmp_path_factory.mktemp("first") / "desk"
    made = Desk(folder)
    repository = folder / "ci-cache-isolation"
    current = repository / "template"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(TEMPLATE, current, ignore=ignored)
    undo_some_changes(current)
    made.configure()
    made.run("git init --quiet", repository)
    made.commit(repository)
    # All answers as they are offered.
    made.run(CREATE, typed=9 * "\n")
    made.run("git init --quiet", "corner_shop")
    made.commit("corner_shop")
    made.run(CHECK, "corner_shop")
    shutil.rmtree(current)
    shutil.copytree(TEMPLATE, current, ignore=ignored)
    made.commit(repository)
    made.run(CHECK, "corner_shop", expected=1)
    return made


@pytest.fixture
def desk(first_desk, tmp_path):
    """A copy of it."""
    made = Desk(tmp_path / "desk")
    shutil.copytree(first_desk.folder, made.folder, symlinks=True)
    made.configure()
    return made


def fresh(desk, *options):
    """Return the files of a new project."""
    shutil.rmtree(desk.folder / "new", ignore_errors=True)
    (desk.folder / "new").mkdir()
    desk.run(shlex.join([*shlex.split(CREATE), "--no-input", *options]), "new")
    return desk.files("new/corner_shop")


def test_an_update_makes_a_new_project_of_it_and_keeps_what_its_owner_changed(desk):
    new = fresh(desk)
    noxfile = desk.folder / "corner_shop" / "noxfile.py"
    own = OF_LINT.replace("check", "rule")
    assert noxfile.read_bytes() != new["noxfile.py"]
    replace(noxfile, re.escape(OF_LINT), OF_LINT + own)
    (desk.folder / "corner_shop" / "NOTES").write_text("their own\n")
    desk.commit("corner_shop")

    desk.run(UPDATE, "corner_shop")
    both = new["noxfile.py"].replace(OF_LINT.encode(), (OF_LINT + own).encode())
    assert desk.files() == new | {"noxfile.py": both, "NOTES": b"their own\n"}
    assert ".github/workflows/stress.yml" in new
    desk.commit("corner_shop")
    desk.run(CHECK, "corner_shop")


def test_an_update_takes_an_answer_that_the_older_template_did_not_know(desk):
    answer = '{"minimum_python": "3.13"}'
    command = [*shlex.split(UPDATE), "--variables-to-update", answer]
    desk.run(shlex.join(command), "corner_shop")
    assert desk.files() == fresh(desk, "--extra-context", answer)
    desk.run(CHECK, "corner_shop")


def test_what_both_have_changed_is_marked_as_in_a_merge(desk):
    workflow = desk.folder / "corner_shop" / ".github" / "workflows" / "ci.yml"
    replace(workflow, r"checkout@\S+ # v4\.9\.9", f"checkout@{40 * '1'} # v6.0.0")
    desk.commit("corner_shop")
    desk.run(UPDATE, "corner_shop")
    assert workflow.read_text().count("<<<<<<< ours") == 1
    status = desk.run("git status --short", "corner_shop")
    assert "UU .github/workflows/ci.yml\n" in status


def test_a_commit_that_leaves_the_template_alone_changes_no_file(desk):
    desk.run(UPDATE, "corner_shop")
    desk.commit("corner_shop")
    (desk.folder / "ci-cache-isolation" / "CHANGELOG.md").touch()
    desk.commit("ci-cache-isolation")
    desk.run(CHECK, "corner_shop", expected=1)
    desk.run(UPDATE, "corner_shop")
    assert desk.run("git status --short", "corner_shop") == " M .cruft.json\n"
