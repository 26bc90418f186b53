"""Real commands on real projects, each in a copy of its own."""

import functools
import json
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import ci_cache_isolation

PROJECTS = Path(__file__).parent / "projects"


@dataclass(frozen=True)
class Done:
    """What a command came to. ``out`` holds stdout, ``err`` stderr."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own."""

    folder: Path

    def python(self, *arguments, **environment):
        """Run Python in the folder. An environment variable of None is taken out."""
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.folder,
            env=own_variables(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=900,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def started(self, *arguments, **environment):
        """Start ``cache-isolation stress``, to be ended from outside."""
        return subprocess.Popen(
            [sys.executable, "-m", "ci_cache_isolation", "stress", *arguments],
            cwd=self.folder,
            env=own_variables(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def add_settings(self, line):
        """Write one more line into the small project's settings."""
        with (self.folder / "small" / "settings.py").open("a") as file:
            file.write(f"{line}\n")

    def stress(self, *arguments, **environment):
        """Run ``cache-isolation stress``."""
        command = ("-m", "ci_cache_isolation", "stress", *arguments)
        return self.python(*command, **environment)

    def typed(self, line, **environment):
        """Run a command that was printed, as one who types it there."""
        words = shlex.split(line)
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        program, *arguments = words
        start = {"python": (), "cache-isolation": ("-m", "ci_cache_isolation")}
        return self.python(*start[program], *arguments, **environment)

    def merge(self, *arguments):
        """Run ``cache-isolation merge``."""
        return self.python("-m", "ci_cache_isolation", "merge", *arguments)

    def at_work(self):
        """Return the ids of the processes that are in the folder."""
        found = []
        for each in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):
                if each.readlink().is_relative_to(self.folder.resolve()):
                    found.append(int(each.parent.name))
        return found

    def report(self):
        """Return the report of the last stress run."""
        path = self.folder / ".cache-isolation" / "stress" / "report.json"
        return sound_report(path)


def sound_report(path):
    """Return what a report holds, which must be as the shipped schema says."""
    report = json.loads(path.read_text(encoding="utf-8"))
    schema().validate(report)
    return report


@functools.cache
def schema():
    import jsonschema  # noqa: PLC0415

    shipped = Path(ci_cache_isolation.__file__).parent / "report/report.schema.json"
    return jsonschema.Draft202012Validator(json.loads(shipped.read_text()))


def own_variables(given):
    """Return the environment without what this run has put into it, and with that.

    What tests leave is looked at where a test asks for it: it takes a second.
    """
    variables = (
        {"CI_CACHE_ISOLATION_TRACES": "off"}
        | {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(
                ("CI_CACHE_ISOLATION", "PYTEST_", "DJANGO_", "GITHUB_")
            )
        }
        | given
    )
    return {name: value for name, value in variables.items() if value is not None}


def copied(name, folder):
    """Copy a project of tests/projects."""
    ignored = shutil.ignore_patterns("__pycache__", ".cache-isolation", "*.sqlite3")
    shutil.copytree(PROJECTS / name, folder / name, ignore=ignored)
    return Project(folder / name)
