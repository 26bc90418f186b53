"""Every kind of test on every kind of store, in every way; with isolation off it fails.

What the twin leaves behind stays on the shared server, so that whoever comes after it
meets it there, unless isolated.
"""

import re

import pytest
from django import VERSION

from tests.commands import copied
from tests.stores import STORES, environment_of

DJANGO = ("manage.py", "test", "--noinput", "-p", "tests_[km]*.py")
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
# Each way once, and nearly each store, whatever Python and Django.
SAMPLE = {
    ("django", "redis"),
    ("django-reverse", "django-valkey"),
    ("fork", "private-redis"),
    ("spawn", "database-postgresql"),
    ("forkserver", "files"),
    ("pytest", "database-sqlite"),
    ("pytest-reverse", "pymemcache"),
    ("xdist", "django-redis"),
}


CASES = [
    pytest.param(
        way,
        store,
        marks=() if (way, store) in SAMPLE else pytest.mark.exhaustive,
        id=f"{way}-{store}",
    )
    for way in WAYS
    for store in STORES
]


@pytest.mark.parametrize(("way", "store"), CASES)
def test_all_kinds_meet_each_other_with_isolation_off_and_pass_with_it_on(
    way, store, tmp_path, request
):
    kinds = copied("kinds", tmp_path)
    command, variables = WAYS[way]
    environment = variables | environment_of(store, request)
    # First, so that there is something from a run before.
    done = kinds.python(*command, **environment, CI_CACHE_ISOLATION="off")
    assert done.code == 1, done.out + done.err
    assert re.search(
        r"^FAILED \(failures=\d\d|^\d\d failed, ", done.err + done.out, re.MULTILINE
    )
    done = kinds.python(*command, **environment)
    assert done.code == 0, done.out + done.err
    assert re.search(r"^OK|^\d\d passed", done.err + done.out, re.MULTILINE)
    assert "CacheIsolationWarning" not in done.out + done.err
