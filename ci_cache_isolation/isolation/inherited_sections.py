"""A process that a test starts can work in the test's sections, when it is asked to.

Otherwise it is isolated from its parent, like every other process. What it is told
goes through one environment variable, since that reaches every kind of child: forks,
spawned processes and programs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from ci_cache_isolation.isolation.process import SECTION_LENGTH
from ci_cache_isolation.isolation.records import Record

__all__ = [
    "JOIN_VARIABLE",
    "Joined",
    "announced",
    "joined",
]

JOIN_VARIABLE = "CI_CACHE_ISOLATION_JOIN"


class Joined(Record):
    """The sections of another process: ids by space, and one for all other spaces."""

    default: str
    by_space: Mapping[str, str] = MappingProxyType({})

    def id_for(self, space: str) -> str:
        """Return the id of the section of a space."""
        return self.by_space.get(space, self.default)


@contextmanager
def announced(sections: Joined) -> Iterator[None]:
    """Tell processes that are started meanwhile which sections they work in."""
    before = os.environ.get(JOIN_VARIABLE)
    os.environ[JOIN_VARIABLE] = json.dumps([sections.default, {**sections.by_space}])
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(JOIN_VARIABLE, None)
        else:
            os.environ[JOIN_VARIABLE] = before


def joined() -> Joined | None:
    """Return the sections that this process was told to work in, if any."""
    try:
        default, by_space = json.loads(os.environ[JOIN_VARIABLE])
        ids = [default, *by_space.values()]
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    # They become parts of keys and of paths.
    if not all(
        isinstance(each, str) and len(each) == SECTION_LENGTH and each.isalnum()
        for each in ids
    ):
        return None
    return Joined(default, by_space)
