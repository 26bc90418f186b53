"""Reads `truth.toml`: what is planted here, and what a report must say of it.

Ids are dotted in the file, and they are Django's; pytest's follow from them, as in the
corpus. Keys of caches are patterns for `fnmatch.fnmatchcase`. A test that is no victim
and not among the others is stable: whoever accuses it is wrong.

`predicted` tells what an order of all tests comes to, `differences` what a report.json
says that is not so. What is planted on Redis, or in files that processes share, is
there only where the environment names a server or a folder.
"""

import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

TRUTH = Path(__file__).with_name("truth.toml")
RUNNERS = ("django", "pytest")
CACHES = ("shared", "isolated")
SERVERS = {"redis": "SHAKEN_REDIS", "files": "SHAKEN_FILES"}


@dataclass(frozen=True)
class Leak:
    """One cause: each victim's outcome changes after each group of polluters.

    A group of several works only together, in any order. A cleaner between polluter and
    victim hides the leak; all of them are named. What is ``unreachable`` is a polluter
    that no order of the runner's puts before the victims. Where ``is_within_class``, a
    test of another class in between hides it too: their class is set up again.
    """

    name: str
    verdict: str
    victims: tuple[str, ...]
    polluters: tuple[tuple[str, ...], ...]
    cleaners: tuple[str, ...]
    unreachable: frozenset[str]
    state: Mapping[str, str] | None
    is_cured: bool
    is_within_class: bool

    @property
    def tests(self) -> set[str]:
        """All tests that it names."""
        return {*self.victims, *sum(self.polluters, ()), *self.cleaners}

    def is_at_work(self, before: Sequence[str], victim: str) -> bool:
        """Return whether a victim's outcome changes after some tests."""
        since: set[str] = set()
        for test in reversed(before):
            is_elsewhere = self.is_within_class and class_of(test) != class_of(victim)
            if test in self.cleaners or is_elsewhere:
                break
            since.add(test)
        return any(since.issuperset(group) for group in self.polluters)


@dataclass(frozen=True)
class Alone:
    """Tests that no other test of the same process has to do with.

    ``polluters`` harm them from another process.
    """

    name: str
    verdict: str
    tests: tuple[str, ...]
    polluters: tuple[tuple[str, ...], ...]
    state: Mapping[str, str] | None
    is_cured: bool


Groups = frozenset[frozenset[str]]


@dataclass(frozen=True)
class Expected:
    """What has to be said of a test. ``optional`` groups may be named or not."""

    verdict: str
    after: Groups = frozenset()
    optional: Groups = frozenset()
    cleaners: frozenset[str] | None = frozenset()
    state: Mapping[str, str] | None = None
    is_cured: bool | None = None

    @property
    def is_required(self) -> bool:
        """Whether the runner's own orders can show it."""
        return self.optional < self.after or not self.after


def given() -> frozenset[str]:
    """Return which servers the environment names."""
    return frozenset(
        name for name, variable in SERVERS.items() if variable in os.environ
    )


def leaks(runner: str, servers: frozenset[str] | None = None) -> list[Leak]:
    """Return what is planted, with the ids of a runner: "django" or "pytest"."""
    ids = partial(_ids, runner=runner)
    return [
        Leak(
            name=entry["name"],
            verdict=entry.get("verdict", "victim"),
            victims=ids(entry["victims"]),
            polluters=tuple(map(ids, entry["polluters"])),
            cleaners=ids(
                entry.get("cleaners", []) + entry.get(f"{runner}_cleaners", [])
            ),
            unreachable=frozenset(ids(entry.get("unreachable", []))),
            state=entry.get("state"),
            is_cured=entry.get("cured", False),
            is_within_class=entry.get("is_within_class", False),
        )
        for entry in _entries("leaks", runner, servers)
    ]


def alone(runner: str, servers: frozenset[str] | None = None) -> list[Alone]:
    """Return what has nothing to do with other tests, with the ids of a runner."""
    ids = partial(_ids, runner=runner)
    return [
        Alone(
            name=entry["name"],
            verdict=entry["verdict"],
            tests=ids(entry["tests"]),
            polluters=tuple(map(ids, entry.get("polluters", []))),
            state=entry.get("state"),
            is_cured=entry.get("cured", False),
        )
        for entry in _entries("alone", runner, servers)
    ]


def of_verdict(
    verdict: str, runner: str, servers: frozenset[str] | None = None
) -> set[str]:
    """Return the tests of a verdict, in shared caches."""
    found = expected(runner, "shared", servers)
    return {test for test, each in found.items() if each.verdict == verdict}


def expected(
    runner: str, cache: str, servers: frozenset[str] | None = None
) -> dict[str, Expected]:
    """Return what a stress run must find, by test. ``cache``: as the option.

    Of what isolation cures only this is left in isolated caches: a test that needs what
    another one stored fails always.
    """
    found = {}
    for each in leaks(runner, servers):
        groups = frozenset(map(frozenset, each.polluters))
        saying = Expected(
            each.verdict,
            groups,
            frozenset(group for group in groups if group & each.unreachable),
            None if each.is_within_class else frozenset(each.cleaners),
            each.state,
            # What fails alone is not cured, even if it fails always then.
            each.is_cured and each.verdict != "brittle",
        )
        if cache == "isolated" and each.is_cured:
            if each.verdict != "brittle":
                continue
            saying = Expected("broken")
        found |= dict.fromkeys(each.victims, saying)
    for each in alone(runner, servers):
        if cache == "isolated" and each.is_cured:
            continue
        can_be_cured = each.verdict in {"self-polluting", "cross-process"}
        saying = Expected(
            each.verdict,
            frozenset(map(frozenset, each.polluters)),
            state=each.state,
            is_cured=each.is_cured if can_be_cured else None,
        )
        found |= dict.fromkeys(each.tests, saying)
    return found


def changing_pairs(runner: str, cache: str) -> set[tuple[str, str]]:
    """Return all (A, B) such that A, just before B, changes B's outcome; A may be B."""
    pairs = {
        (group[0], victim)
        for leak in leaks(runner)
        for group in leak.polluters
        for victim in leak.victims
        if len(group) == 1 and not (cache == "isolated" and leak.is_cured)
    }
    return pairs | {
        (test, test)
        for each in alone(runner)
        for test in each.tests
        if each.verdict == "self-polluting"
        and not (cache == "isolated" and each.is_cured)
    }


def predicted(order: Sequence[str], runner: str, cache: str) -> set[str]:
    """Return which tests fail in an order, those aside that do so by chance.

    Each test occurs once, and no other process is there.
    """
    places = {test: place for place, test in enumerate(order)}
    failing = of_verdict("broken", runner) & places.keys()
    for leak in leaks(runner):
        is_cured = cache == "isolated" and leak.is_cured
        for victim in places.keys() & set(leak.victims):
            changes = not is_cured and leak.is_at_work(order[: places[victim]], victim)
            if changes != (leak.verdict == "brittle"):
                failing.add(victim)
    return failing


def differences(
    report: dict, runner: str, cache: str, servers: frozenset[str] | None = None
) -> list[str]:
    """Return what a report of ``stress --cache ...`` gets wrong, a line each.

    Nothing is asked of ``proof``, ``replay`` and ``cost``.
    """
    wanted = expected(runner, cache, servers)
    findings = report["findings"]
    lines = []
    for test, count in Counter(each["test"] for each in findings).items():
        if count > 1:
            lines.append(f"{test}: reported {count} times")
    reported = {each["test"]: each for each in findings}
    for test, saying in wanted.items():
        if test not in reported and saying.is_required:
            lines.append(f"{test}: missing, it is {saying.verdict}")
    cured = expected(runner, "shared", servers).keys()
    for test, finding in reported.items():
        if test not in wanted:
            why = "isolation cures it" if test in cured else "it is stable"
            lines.append(f"{test}: accused of being {finding['verdict']}, but {why}")
        else:
            said = _differences(finding, wanted[test], cache)
            lines.extend(f"{test}: {line}" for line in said)
    return sorted(lines)


def class_of(test: str) -> str:
    """Return the id of a test's class; of a function's module."""
    return test.rpartition("::" if "::" in test else ".")[0]


def node_id(dotted: str) -> str:
    """Return pytest's id of a test, see above."""
    module, rest = re.fullmatch(r"((?:\w+\.)*?test_\w+)\.(.+)", dotted).groups()
    name, bracket, parameters = rest.partition("[")
    return f"{module.replace('.', '/')}.py::{name.replace('.', '::')}" + (
        bracket + parameters
    )


def _differences(finding: dict, saying: Expected, cache: str) -> Iterator[str]:
    if finding["verdict"] != saying.verdict:
        yield f"is {saying.verdict}, not {finding['verdict']}"
        return
    after = frozenset(map(frozenset, finding["after"]))
    yield from _wrong_groups(after, saying, finding["test"])
    if saying.cleaners is not None:
        for cleaner in sorted(set(finding["cleaners"]) - saying.cleaners):
            yield f"{cleaner} is no cleaner"
    state = finding["state"]
    if not _is_state(state, saying.state):
        yield f"state is {_shown(saying.state)}, not {_shown(state)}"
    cures = finding["isolation_cures"]
    if saying.is_cured is None or cache == "isolated":
        if cures:
            yield "isolation does not cure it"
    elif cures is not saying.is_cured:
        verb = "cures" if saying.is_cured else "does not cure"
        yield f"isolation {verb} it, the report says {cures}"


def _wrong_groups(after: Groups, saying: Expected, test: str) -> Iterator[str]:
    possible, required = saying.after, saying.after - saying.optional
    if saying.verdict == "self-polluting":
        possible = frozenset([frozenset([test])])
    elif saying.verdict == "cross-process":
        # One is enough: who is there at the same time is left to chance.
        required = frozenset()
        if not after & possible:
            yield f"none of its polluters is named: {_listed(possible)}"
    elif not required and not after and possible:
        yield f"none of its polluters is named: {_listed(possible)}"
    if missing := required - after:
        yield f"polluters not named: {_listed(missing)}"
    if wrong := after - possible:
        yield f"polluters that are none: {_listed(wrong)}"


def _listed(groups: Iterable[frozenset[str]]) -> str:
    return ", ".join(sorted(" + ".join(sorted(group)) for group in groups))


def _is_state(state: Mapping | None, wanted: Mapping[str, str] | None) -> bool:
    if wanted is None or state is None:
        return wanted is state
    return all(
        fnmatchcase(str(state.get(name)), value) for name, value in wanted.items()
    )


def _shown(state: Mapping | None) -> str:
    if state is None:
        return "unknown"
    names = ("kind", "alias", "key", "function")
    return " ".join(str(state[name]) for name in names if name in state)


def _ids(names: Iterable[str], runner: str) -> tuple[str, ...]:
    names = [f"desk.{name}" for name in names]
    return tuple(map(node_id, names) if runner == "pytest" else names)


def _entries(kind: str, runner: str, servers: frozenset[str] | None) -> Iterator[dict]:
    servers = given() if servers is None else servers
    for entry in tomllib.loads(TRUTH.read_text(encoding="utf-8"))[kind]:
        is_for_runner = entry.get("runner", "both") in ("both", runner)
        if is_for_runner and entry.get("server", "") in {"", *servers}:
            yield entry
