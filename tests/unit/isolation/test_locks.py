"""Every lock of the package is one that is made new in a forked child."""

import ast
from pathlib import Path

import pytest

import ci_cache_isolation
from tests.locks import locks_of_the_package

PACKAGE = Path(ci_cache_isolation.__file__).parent
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
WHAT_LOCKS = {
    *("Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "RLock"),
    *("Semaphore", "allocate_lock", "Queue", "LifoQueue", "PriorityQueue"),
    *("SimpleQueue", "Manager"),
}
# Where they are made, and how often. Django's table of locks gets one of Django's kind.
# Processes of a probe don't fork. Those of turns.py last as long as a key is copied
# into a section of this process.
MADE_HERE = {
    "isolation/process.py": 2,
    "isolation/stores/memory.py": 1,
    "isolation/turns.py": 1,
    "probing/playing.py": 1,
    "probing/processes.py": 1,
}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_module_makes_a_lock_of_its_own(module):
    calls = [
        getattr(node.func, "attr", getattr(node.func, "id", ""))
        for node in ast.walk(ast.parse(MODULES[module].read_text()))
        if isinstance(node, ast.Call)
    ]
    made = [name for name in calls if name in WHAT_LOCKS]
    assert len(made) == MADE_HERE.get(module, 0), (
        f"{module} makes {made}: another thread may hold it when the process forks. "
        "Use new_lock() of isolation/process.py."
    )


def test_a_lock_is_kept_where_it_is_made_new():
    """A child replaces ``owner.name``: a lock that is kept elsewhere stays locked."""
    assert len(locks_of_the_package()) >= 6
