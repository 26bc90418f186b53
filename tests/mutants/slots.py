"""A copy of the project with a virtual environment of its own, in which tests run.

The environment finds the copy first, then what is installed beside us. Whatever is
started with its Python, by whom and with which variables, imports the copy.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from tests.mutants import processes
from tests.mutants.mutant import PACKAGE, Mutant
from tests.mutants.report import Report

__all__ = ["PROJECT", "Broken", "Slot", "project_files"]

PROJECT = Path(__file__).parents[2]
INSIDE = Path(__file__).parent / "inside"
# What was meant for this process is not meant for the tests.
NOT_INHERITED = (
    *("CI_CACHE_ISOLATION", "COVERAGE_", "DJANGO_", "GITHUB_", "MUTANTS_"),
    *("PYTEST_", "PYTHON", "VIRTUAL_ENV"),
)
HEAD = 1024
OPTIONS = ("-pmutants_plugin", "-pno:randomly", "-pno:cacheprovider", "-q")


class Broken(Exception):  # noqa: N818 - it is what was found
    """Tests can't be run here, or not as they are meant to."""


class Slot:
    """The copy, in a folder that nothing else knows. One run at a time."""

    def __init__(self, home: Path, stop: Event, *, is_recording: bool) -> None:
        # Sockets in it have to have short names.
        self.home = home
        self.tree = home / "tree"
        self.records = home / "records"
        self._temporary = home / "t"
        self._bin = home / "venv" / "bin"
        self._stop = stop
        self._numbers = itertools.count(1)
        self.offsets: dict[str, tuple[int, int]] = {}
        """Where in what is noted the lines of a module begin and end, by its path."""
        self._copy()
        self._make_environment(is_recording=is_recording)
        self._check()

    def run(
        self, arguments: Sequence[str], *, seconds: float | None = None
    ) -> tuple[int | str, Report]:
        """Run pytest; return its exit code, and what became of the tests."""
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir()
        report = self.home / "report"
        report.unlink(missing_ok=True)
        since = processes.ticks()
        if since is not None:
            (self.home / "since").write_text(str(since))
        code = processes.run(
            [self._bin / "python", "-m", "pytest", *OPTIONS, *arguments],
            self.tree,
            self._environment() | {"MUTANTS_REPORT": str(report)},
            self.log,
            home=self.home,
            seconds=seconds,
            stop=self._stop,
        )
        return code, Report.read(report)

    @property
    def log(self) -> Path:
        """What the last run printed."""
        return self.home / "log"

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """Have the mutant in place of its module."""
        path = self.tree / mutant.path
        source, status = path.read_text(), path.stat()
        path.write_text(mutant.applied(source))
        # Compiled modules are found again by size and time, in whole seconds.
        new = int(status.st_mtime) + next(self._numbers)
        os.utime(path, (new, new))
        try:
            yield
        finally:
            path.write_text(source)
            os.utime(path, (status.st_mtime, status.st_mtime))

    def _copy(self) -> None:
        for name in project_files():
            target = self.tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target, follow_symlinks=False)

    def _make_environment(self, *, is_recording: bool) -> None:
        venv.create(self._bin.parent, symlinks=True, with_pip=False)
        [packages] = self._bin.parent.glob("lib/python*/site-packages")
        for module in INSIDE.glob("*.py"):
            shutil.copy(module, packages)
        (packages / "mutants_place.py").write_text(self._place())
        installed = dict.fromkeys(
            sysconfig.get_path(name) for name in ("purelib", "platlib")
        )
        lines = ["import mutants_guard", str(self.tree), *installed]
        if is_recording:
            self.records.mkdir()
            lines.append("import mutants_recorder")
        (packages / "mutants.pth").write_text("".join(f"{each}\n" for each in lines))
        self._copy_commands()

    def _place(self) -> str:
        end = 0
        for path in sorted((self.tree / PACKAGE).rglob("*.py")):
            # The first line is 1; the last one may lack its end.
            start, end = end, end + path.read_bytes().count(b"\n") + 2
            self.offsets[str(path.relative_to(self.tree))] = start, end
        starts = {
            str(self.tree / name): start for name, (start, _) in self.offsets.items()
        }
        return (
            f"SINCE = {str(self.home / 'since')!r}\n"
            f"RECORDS = {str(self.records)!r}\n"
            f"OFFSETS = {starts!r}\n"
            f"LINES = {end}\n"
        )

    def _copy_commands(self) -> None:
        """Have the commands of our environment run by the slot's Python."""
        for path in Path(sysconfig.get_path("scripts")).iterdir():
            target = self._bin / path.name
            if target.exists() or not path.is_file():
                continue
            content = path.read_bytes()
            ours = os.fsencode(path.with_name("python"))
            if content.startswith(b"#!") and ours in content[:HEAD]:
                theirs = os.fsencode(self._bin / "python")
                target.write_bytes(content.replace(ours, theirs))
                target.chmod(0o755)
            else:
                target.symlink_to(path)

    def _check(self) -> None:
        """See that what is started anywhere, with no variables, imports the copy."""
        started = "import subprocess, sys; subprocess.run([sys.executable, '-c', {!r}])"
        asked = f"import {PACKAGE}; print({PACKAGE}.__file__)"
        done = subprocess.run(
            [self._bin / "python", "-c", started.format(asked)],
            cwd=self.home,
            env={},
            check=False,
            capture_output=True,
            text=True,
        )
        if done.stdout.strip() != str(self.tree / PACKAGE / "__init__.py"):
            text = f"{done.stdout}{done.stderr}"
            raise Broken(f"The package is not imported from the copy:\n{text}")

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(NOT_INHERITED)
        }
        return inherited | {
            "PATH": f"{self._bin}{os.pathsep}{os.environ['PATH']}",
            "TMPDIR": str(self._temporary),
            "VIRTUAL_ENV": str(self._bin.parent),
        }


def project_files() -> list[str]:
    """Return the files of the project, as they are now, without what git ignores."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Broken(f"git can't list the project's files:\n{done.stderr}")
    names = sorted(set(filter(None, done.stdout.split("\0"))))
    return [name for name in names if (PROJECT / name).is_file()]
