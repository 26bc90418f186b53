"""A generated project, and runs of its checks with this checkout as the package."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.generated.rows import TEMPLATE, Row

CHECKOUT = TEMPLATE.parent


class FailedError(Exception):
    """A project is not as expected."""


@dataclass
class Project:
    """A generated project. ``environment`` is added to that of its checks."""

    folder: Path
    row: Row
    environment: dict[str, str] = field(default_factory=dict)

    def workflows(self) -> list[Path]:
        return sorted(self.folder.glob(".github/workflows/*.yml"))

    def check(self, *names: str, arguments: Sequence[str] = ()) -> None:
        """Run checks as its users do, each in a virtual environment of its own."""
        if self.row["task_runner"] == "nox":
            command = ("nox", "--force-python", self.python(), "-s", *names)
        else:
            command = ("tox", "run", "-e", ",".join(names))
        passed_on = ("--", *arguments) if arguments else ()
        self.run(sys.executable, "-m", *command, *passed_on)

    def run_in(self, name: str, *command: str, expected: int = 0) -> str:
        """Run a command in the virtual environment that a check has left."""
        [programs] = self.folder.glob(f".{self.row['task_runner']}/{name}*/bin")
        return self.run(str(programs / command[0]), *command[1:], expected=expected)

    def run(self, *command: str, expected: int = 0) -> str:
        """Run a command in the project's folder; show and return what it says."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._whole_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        sys.stdout.write(f"{done.stdout}\n")
        sys.stdout.flush()
        if done.returncode != expected:
            shown = " ".join((Path(command[0]).name, *command[1:]))
            raise FailedError(f"{shown} ended with {done.returncode}, not {expected}")
        return done.stdout

    def test_command(self) -> tuple[str, ...]:
        """Return what runs the tests in their own order."""
        if self.row["runner"] == "django":
            return ("python", "manage.py", "test")
        # pytest-randomly would show leaks at once, in its own way.
        return ("pytest", "-p", "no:randomly")

    def python(self) -> str:
        """Return the oldest Python that the project takes, if it is there."""
        oldest = self.row["minimum_python"]
        found = shutil.which(f"python{oldest}")
        works = (
            found
            and not subprocess.run(
                [found, "-c", ""], check=False, capture_output=True
            ).returncode
        )
        return oldest if works else f"{sys.version_info[0]}.{sys.version_info[1]}"

    def _whole_environment(self) -> dict[str, str]:
        source = str(CHECKOUT)
        if self.row["task_runner"] == "tox":
            extras = ["stress"]
            extras += ["pytest"] if self.row["runner"] == "pytest" else []
            server = self.row["cache_backend"] in {"redis", "valkey"}
            extras += ["server"] if server else []
            names = ",".join(extras)
            source = f"ci-cache-isolation[{names}] @ {CHECKOUT.as_uri()}"
        whole = os.environ | {"CI_CACHE_ISOLATION_SOURCE": source, **self.environment}
        # A virtual environment of the outer nox is none of the project's, and a
        # server that somebody has is none of its tests'.
        for name in {"VIRTUAL_ENV", "CACHE_URL", "CI"} - self.environment.keys():
            whole.pop(name, None)
        return whole


def generate(row: Row, folder: Path) -> Project:
    """Generate a project from the template, in a new folder."""
    # Without a configuration of its own cookiecutter writes into the user's home.
    config = folder / "cookiecutter.yaml"
    config.write_text(
        f"cookiecutters_dir: {folder / 'templates'}\nreplay_dir: {folder / 'replay'}\n"
    )
    output = folder / "out"
    subprocess.run(
        [
            *(sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"),
            *(f"--config-file={config}", f"--output-dir={output}"),
            *(f"{name}={answer}" for name, answer in row.items()),
        ],
        check=True,
    )
    [project] = output.iterdir()
    return Project(project, row)
