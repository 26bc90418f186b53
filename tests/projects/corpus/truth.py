"""Reads `truth.toml`: which leaks are planted in this project, and what is harmless.

Ids are dotted in the file, and they are Django's. pytest's follow from them: the module
is all up to the first name that begins with ``test_``; what comes behind it is joined
by ``::``. So ``shop.test_keys.ReadTests.test_price`` is
``shop/test_keys.py::ReadTests::test_price``, and the function
``shop.test_functions_more.test_paint[red]`` is
``shop/test_functions_more.py::test_paint[red]``.

Where no cache carries it, but a function that remembers, ``function`` is its name.
Keys are the user's own, as given to the cache's methods; where the user gives none, as
with sessions and pages, a pattern for `fnmatch.fnmatchcase`.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TRUTH = Path(__file__).with_name("truth.toml")
RUNNERS = ("django", "pytest")
# Modules that define tests only where this variable names a server.
SERVERS = {"redis": "CORPUS_REDIS", "memcached": "CORPUS_MEMCACHED"}


@dataclass(frozen=True)
class Leak:
    """One cause: each victim's outcome changes after each group of polluters.

    A "victim" passes alone and fails then; a "brittle" one fails alone and passes then:
    its polluters are state-setters. A group of several works only together, in any
    order. A cleaner between polluter and victim hides the leak.
    """

    name: str
    kind: str
    victims: tuple[str, ...]
    polluters: tuple[tuple[str, ...], ...]
    cleaners: tuple[str, ...]
    alias: str
    key: str
    operation: str
    function: str

    @property
    def tests(self) -> set[str]:
        """All tests that it names."""
        groups = [name for group in self.polluters for name in group]
        return {*self.victims, *groups, *self.cleaners}


@dataclass(frozen=True)
class Harmless:
    """What looks like a leak: none of ``seen_by`` changes after any of ``left_by``."""

    name: str
    left_by: tuple[str, ...]
    seen_by: tuple[str, ...]
    alias: str
    key: str
    because: str

    @property
    def tests(self) -> set[str]:
        """All tests that it names."""
        return {*self.left_by, *self.seen_by}


def leaks(runner: str) -> list[Leak]:
    """Return what is planted, with the ids of a runner: "django" or "pytest"."""
    return [
        Leak(
            name=entry["name"],
            kind=entry.get("kind", "victim"),
            victims=_ids(entry["victims"], runner),
            polluters=tuple(_ids(group, runner) for group in entry["polluters"]),
            cleaners=_ids(entry.get("cleaners", []), runner),
            alias=entry.get("alias", "default"),
            key=entry.get("key", ""),
            operation=entry["operation"],
            function=entry.get("function", ""),
        )
        for entry in _entries("leaks", runner)
    ]


def harmless(runner: str) -> list[Harmless]:
    """Return what must not be reported, with the ids of a runner."""
    return [
        Harmless(
            name=entry["name"],
            left_by=_ids(entry["left_by"], runner),
            seen_by=_ids(entry["seen_by"], runner),
            alias=entry.get("alias", "default"),
            key=entry.get("key", ""),
            because=entry["because"],
        )
        for entry in _entries("harmless", runner)
    ]


def changing_pairs(leaks: list[Leak]) -> set[tuple[str, str]]:
    """Return all (A, B) such that A alone, just before B, changes B's outcome."""
    return {
        (group[0], victim)
        for leak in leaks
        for group in leak.polluters
        for victim in leak.victims
        if len(group) == 1
    }


def brittle(runner: str) -> set[str]:
    """Return the tests that fail alone, and with all that there is reset."""
    return {
        name
        for leak in leaks(runner)
        for name in leak.victims
        if leak.kind == "brittle"
    }


def node_id(dotted: str) -> str:
    """Return pytest's id of a test, see above."""
    module, rest = re.fullmatch(r"((?:\w+\.)*?test_\w+)\.(.+)", dotted).groups()
    name, bracket, parameters = rest.partition("[")
    return f"{module.replace('.', '/')}.py::{name.replace('.', '::')}" + (
        bracket + parameters
    )


def _ids(names: list[str], runner: str) -> tuple[str, ...]:
    names = [f"shop.{name}" for name in names]
    return tuple(map(node_id, names) if runner == "pytest" else names)


def _entries(kind: str, runner: str) -> Iterator[dict]:
    for entry in tomllib.loads(TRUTH.read_text(encoding="utf-8"))[kind]:
        is_for_runner = entry.get("runner", "both") in ("both", runner)
        server = entry.get("server")
        if is_for_runner and (server is None or SERVERS[server] in os.environ):
            yield entry
