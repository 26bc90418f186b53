"""The project "kinds": every kind of test, in every way of running it, on every store.

``CASES`` are all pairs of way and store. ``SAMPLE`` are those of tests/system: among
them each way and each store; tests/exhaustive has the others.
"""

import re

import pytest
from django import VERSION

from tests.commands import copied
from tests.stores import STORES, environment_of

# For Django's own runner: all but what only pytest runs, and what can't be pickled.
PATTERN = ("-p", "tests_[km]*.py")
DJANGO = ("manage.py", "test", "--noinput", *PATTERN)
PYTEST = ("-m", "pytest", "-q", "-p", "no:randomly")
# Django 5.2 knows only the first two.
METHODS = ["fork", "spawn", "forkserver"][: 3 if VERSION >= (6, 0) else 2]
WAYS = {
    "django": (DJANGO, {}),
    "django-reverse": ((*DJANGO, "--reverse"), {}),
    **{
        method: ((*DJANGO, "--parallel=2"), {"START_METHOD": method})
        for method in METHODS
    },
    "pytest": (PYTEST, {}),
    "pytest-reverse": (PYTEST, {"KINDS_REVERSE": "yes"}),
    "xdist": ((*PYTEST, "-n2"), {}),
}
CASES = [(way, store) for way in WAYS for store in ["locmem", *STORES]]
# Interpreters start anew for spawn, forkserver and xdist: one of each.
SAMPLE = [
    pair
    for pair in CASES
    if pair
    in {
        ("django", "locmem"),
        ("django", "redis"),
        ("django-reverse", "django-valkey"),
        ("django-reverse", "private-pymemcache"),
        ("fork", "locmem"),
        ("fork", "private-redis"),
        ("fork", "database-mariadb"),
        ("spawn", "database-postgresql"),
        ("forkserver", "files"),
        ("pytest", "locmem"),
        ("pytest", "pylibmc"),
        ("pytest", "database-sqlite"),
        ("pytest-reverse", "pymemcache"),
        ("pytest-reverse", "private-django-valkey"),
        ("xdist", "django-redis"),
    }
]


@pytest.fixture
def kinds(tmp_path):
    """A copy of the project."""
    return copied("kinds", tmp_path)


@pytest.fixture
def kinds_apart(kinds, request):
    """Have all tests run one way on one store: with isolation off they must meet.

    What that run leaves behind stays on the shared server, so that whoever comes after
    it meets it there, unless isolated.
    """

    def check(way, store):
        command, variables = WAYS[way]
        environment = variables | environment_of(store, request)
        # First, so that there is something from a run before. Nobody reads tracebacks.
        shorter = ("--tb=no",) if "pytest" in command else ()
        off = {**environment, "CI_CACHE_ISOLATION": "off"}
        done = kinds.python(*command, *shorter, **off)
        said = done.out + done.err
        assert done.code == 1, said
        assert re.search(
            r"^FAILED \(failures=\d\d, errors=\d|^\d\d failed, ", said, re.MULTILINE
        ), said
        done = kinds.python(*command, **environment)
        said = done.out + done.err
        assert done.code == 0, said
        assert re.search(r"^OK|^\d\d passed", said, re.MULTILINE), said
        assert "CacheIsolationWarning" not in said

    return check
