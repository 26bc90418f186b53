"""``.ci/run`` with stand-ins for Python and the servers, in a repository of its own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = ROOT / ".ci" / "run"
# Logs what it is asked to run, and fails where the environment says so.
STAND_IN = """#!/bin/bash
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
esac
echo "$*" >>"$LOG"
case "$*" in *"$FAILS"*) exit 3 ;; esac
"""


@pytest.fixture
def ci(tmp_path):
    """Run it; return the exit code, what was printed, and what Python was asked for."""
    repository, programs = tmp_path / "repository", tmp_path / "bin"
    (repository / ".ci").mkdir(parents=True)
    programs.mkdir()
    for name in (".ci/run", "README.md"):
        shutil.copy(ROOT / name, repository / name)
    for path, text in (
        (repository / ".ci" / "servers", "#!/bin/bash\n"),
        (programs / "python3", STAND_IN),
    ):
        path.write_text(text)
        path.chmod(0o755)
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "TMPDIR": str(tmp_path),
        "LOG": str(tmp_path / "log"),
        "FAILS": "no step",
    }

    def git(*arguments):
        who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
        return subprocess.run(
            ["git", *who, *arguments],
            cwd=repository,
            env=environment | {"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    def run(**more):
        git("init", "--quiet")
        git("add", ".")
        git("commit", "--quiet", "--message=one")
        run.commit = git("rev-parse", "HEAD")
        done = subprocess.run(
            ["bash", ".ci/run"],
            cwd=repository,
            env=environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        asked = (tmp_path / "log").read_text().splitlines()
        return done.returncode, done.stdout, asked

    yield run
    assert not any(each.name.startswith("tmp.") for each in tmp_path.iterdir())


def rows_of(output):
    """Return the steps of the closing table."""
    table = output.partition("== all steps\n")[2]
    return re.findall(r"^ +\d+ s  (.+)$", table, re.MULTILINE)


def test_all_steps_run_in_turn_and_the_table_has_their_times(ci):
    code, output, asked = ci()
    assert code == 0
    [parts] = re.findall(r"^parts=(\d+)$", RUN.read_text(), re.MULTILINE)
    part = f"{int(ci.commit[:8], 16) % int(parts) + 1}/{parts}"
    sessions = [each for each in asked if each.startswith("-m nox")]
    assert sessions == [
        "-m nox -s stress",
        "-m nox -s tests",
        "-m nox -s lint",
        "-m nox -s template",
        f"-m nox -s exhaustive -- --part {part}",
    ]
    steps = [
        "servers",
        "an empty environment with nox",
        "python -m nox -s stress",
        "python -m nox -s tests",
        "lint",
        "template",
        f"exhaustive, part {part.replace('/', ' of ')}",
    ]
    assert rows_of(output) == [*steps, "in all"]
    for step in steps:
        assert re.search(rf"^== {step}\n== {step} took \d+ s$", output, re.MULTILINE)


def test_a_step_that_fails_ends_it_and_is_in_the_table(ci):
    code, output, asked = ci(FAILS="-s lint")
    assert code == 3
    assert asked[-1] == "-m nox -s lint"
    assert rows_of(output)[-2:] == ["lint, not finished", "in all"]
