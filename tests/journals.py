"""Journals in a folder of a test's own, and processes that died and left one."""

import sys
from pathlib import Path
from subprocess import run

import pytest

from ci_cache_isolation.isolation import journal
from ci_cache_isolation.isolation.journal import About, Journal

ABOUT = About("0123", "default", "app.Cache", "redis://localhost")


OTHER = About("4567", "other", "app.Cache", "redis://localhost/1")


ANOTHER_PROCESS = """
import os, sys
from ci_cache_isolation.isolation.journal import About, Journal
journal = Journal()
for name in {names!r}:
    journal.note(About(*{about!r}), name)
print(journal._path, flush=True)
if {lives!r}:
    sys.stdin.read()
os._exit(1)
"""


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    path = tmp_path / "state"
    monkeypatch.setenv(journal.DIRECTORY_VARIABLE, str(path))
    return path


@pytest.fixture
def book():
    made = Journal()
    yield made
    made.close()


def killed(*names, about=ABOUT, **options):
    """Have another process write names down and die; return its directory."""
    fields = (about.fingerprint, about.alias, about.kind, about.location)
    source = ANOTHER_PROCESS.format(names=names, about=fields, lives=False)
    done = run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    return Path(done.stdout.strip())


def written(book):
    (path,) = book._path.glob("*.names")
    return journal._read(path).names
