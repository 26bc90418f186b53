# /// script
# requires-python = ">=3.11"
# dependencies = ["nox>=2025.5.1"]
# ///
"""What is checked, here and in CI: nox -l lists it, nox -s NAME does it."""

import os
import re
from pathlib import Path

import nox

# 2025.5.1: dependency groups.
nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "tests", "stress", "coverage"]

PROJECT = Path(__file__).resolve().parent
PYPROJECT = nox.project.load_toml(PROJECT / "pyproject.toml")
SETTINGS = "{{ cookiecutter.project_slug }}.settings.test"
{%- if cookiecutter.runner == "django" %}
EXTRAS = "stress"
{%- else %}
EXTRAS = "stress,pytest"
{%- endif %}


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments go to {{ 'manage.py test' if cookiecutter.runner == 'django' else 'pytest' }}."""
    install_for_tests(session)
{%- if cookiecutter.runner == "django" %}
    session.run("python", "manage.py", "test", *session.posargs)
{%- else %}
    session.run("pytest", *session.posargs)
{%- endif %}


@nox.session
def stress(session: nox.Session) -> None:
    """Find out why tests fail in some orders; arguments go to cache-isolation."""
    install_for_tests(session)
    say_where_python_is(session)
    session.run(
        *("cache-isolation", "stress", "--runner", "{{ cookiecutter.runner }}"),
        # One pull request, one set of orders; at home each run tries others.
        *(["--seed", "1"] if os.environ.get("CI") else []),
        *session.posargs,
        env={"DJANGO_SETTINGS_MODULE": SETTINGS},
    )


@nox.session
def merge(session: nox.Session) -> None:
    """Make one report of those of shards; arguments go to cache-isolation."""
    install_for_tests(session)
    session.run("cache-isolation", "merge", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Name the cache leaks that isolation cures; arguments go to cache-isolation."""
    install_for_tests(session)
    say_where_python_is(session)
    session.run(
        *("cache-isolation", "audit", "--runner", "{{ cookiecutter.runner }}"),
        # Isolation keeps them from failing. Say confirmed to have none at all.
        *("--fail-on", "never"),
        *session.posargs,
        env={"DJANGO_SETTINGS_MODULE": SETTINGS},
    )


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure what the tests cover, over two processes."""
    install_for_tests(session)
    session.run("coverage", "erase")
{%- if cookiecutter.runner == "django" %}
    session.run("coverage", "run", "manage.py", "test", "--parallel", "2")
{%- else %}
    session.run("coverage", "run", "-m", "pytest", "-n", "2")
{%- endif %}
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def lint(session: nox.Session) -> None:
    """Check the code, the settings, the migrations and the workflows."""
    install(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", "manage.py", "check", "--fail-level", "WARNING")
    session.run("python", "manage.py", "makemigrations", "--check", "--dry-run")
    session.run("zizmor", "--offline", ".github/workflows")


def install(session: nox.Session, group: str) -> None:
    session.install(
        *PYPROJECT["project"]["dependencies"],
        *nox.project.dependency_groups(PYPROJECT, group),
    )


def install_for_tests(session: nox.Session) -> None:
    install(session, "test")
    requirement, found = cache_isolation()
    session.log(f"ci-cache-isolation: {requirement}, {found}")
    session.install(requirement)


def say_where_python_is(session: nox.Session) -> None:
    session.log(f'For the commands that are printed: export PATH="{session.bin}:$PATH"')


def cache_isolation() -> tuple[str, str]:
    """Return the requirement for ci-cache-isolation, and where it was found.

    Once it is published: name it in the test group of pyproject.toml, and delete this
    function, the next two and the last three lines of install_for_tests.
    """
    if source := os.environ.get("CI_CACHE_ISOLATION_SOURCE", "").strip():
        return requirement_for(source), "as CI_CACHE_ISOLATION_SOURCE says"
    if checkout := find_checkout():
        return requirement_for(checkout), "a checkout near the project"
    return (
        f"ci-cache-isolation[{EXTRAS}]",
        "from the package index; until it is published there, put the path of a "
        "checkout into CI_CACHE_ISOLATION_SOURCE",
    )


def requirement_for(source: str | Path) -> str:
    """Add the extras to a path or a URL; leave any other requirement as it is."""
    path = Path(source).expanduser()
    if path.exists():
        return f"ci-cache-isolation[{EXTRAS}] @ {path.resolve().as_uri()}"
    if re.match(r"[a-z+]+://", str(source)):
        return f"ci-cache-isolation[{EXTRAS}] @ {source}"
    return str(source)


def find_checkout() -> Path | None:
    """Look beside the project and above it, nearest first."""
    for folder in PROJECT.parents:
        for place in ("", "*/"):
            for found in sorted(folder.glob(f"{place}ci_cache_isolation/__init__.py")):
                checkout = found.parents[1]
                pyproject = checkout / "pyproject.toml"
                # Not every folder up there is ours to read.
                if os.access(pyproject, os.R_OK) and (
                    'name = "ci-cache-isolation"' in pyproject.read_text("utf-8")
                ):
                    return checkout
    return None


if __name__ == "__main__":
    nox.main()
