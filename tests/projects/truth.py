"""Reads a project's `truth.toml`: what is planted, and what a report must say of it.

Ids are dotted in the file, below the project's package, and they are Django's; pytest's
follow from them, as in the corpus. Keys of caches and names of state are patterns for
`fnmatch.fnmatchcase`, ``cure`` is the one name to register. A test that is no victim
and not among the others is stable: whoever accuses it is wrong.

`Truth.predicted` tells what an order of all tests comes to, `Truth.differences` what a
report.json says that is not so. What is planted on a server, or in files that processes
share, is there only where the environment names it by the variable given in the file.
"""

import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

RUNNERS = ("django", "pytest")
CACHES = ("shared", "isolated")


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
    cure: str | None

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
    cure: str | None


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
    cure: str | None = None

    @property
    def is_required(self) -> bool:
        """Whether the runner's own orders can show it."""
        return self.optional < self.after or not self.after


class Truth:
    """What is planted in a project, with the ids of a runner: "django" or "pytest".

    ``servers`` are those that are there; all that the environment names where that is
    None.
    """

    def __init__(
        self, project: Path, runner: str, servers: Iterable[str] | None = None
    ) -> None:
        self.read = tomllib.loads((project / "truth.toml").read_text(encoding="utf-8"))
        self.runner = runner
        self.settings: str = self.read["settings"]
        self.package: str = self.read["package"]
        self.servers: Mapping[str, str] = self.read.get("servers", {})
        self._given = {
            name
            for name, variable in self.servers.items()
            if (variable in os.environ if servers is None else name in servers)
        }
        self.leaks = [self._leak(entry) for entry in self._entries("leaks")]
        self.alone = [self._alone(entry) for entry in self._entries("alone")]

    def id_of(self, name: str) -> str:
        """Return the id of a test, or of a class, that stands below the package."""
        dotted = f"{self.package}.{name}"
        return node_id(dotted) if self.runner == "pytest" else dotted

    def of_verdict(self, verdict: str) -> set[str]:
        """Return the tests of a verdict, in shared caches."""
        found = self.expected("shared")
        return {test for test, each in found.items() if each.verdict == verdict}

    def expected(self, cache: str) -> dict[str, Expected]:
        """Return what a stress run must find, by test. ``cache``: as the option.

        Of what isolation cures only this is left in isolated caches: a test that needs
        what another one stored fails always.
        """
        found = {}
        for each in self.leaks:
            groups = frozenset(map(frozenset, each.polluters))
            saying = Expected(
                each.verdict,
                groups,
                frozenset(group for group in groups if group & each.unreachable),
                None if each.is_within_class else frozenset(each.cleaners),
                each.state,
                # What fails alone is not cured, even if it fails always then.
                each.is_cured and each.verdict != "brittle",
                each.cure,
            )
            if cache == "isolated" and each.is_cured:
                if each.verdict != "brittle":
                    continue
                saying = Expected("broken")
            found |= dict.fromkeys(each.victims, saying)
        for each in self.alone:
            if cache == "isolated" and each.is_cured:
                continue
            can_be_cured = each.verdict in {"self-polluting", "cross-process"}
            saying = Expected(
                each.verdict,
                frozenset(map(frozenset, each.polluters)),
                state=each.state,
                is_cured=each.is_cured if can_be_cured else None,
                cure=each.cure,
            )
            found |= dict.fromkeys(each.tests, saying)
        return found

    def changing_pairs(self, cache: str) -> set[tuple[str, str]]:
        """Return all (A, B) such that A before B changes B's outcome; A may be B."""
        pairs = {
            (group[0], victim)
            for leak in self.leaks
            for group in leak.polluters
            for victim in leak.victims
            if len(group) == 1 and not (cache == "isolated" and leak.is_cured)
        }
        return pairs | {
            (test, test)
            for each in self.alone
            for test in each.tests
            if each.verdict == "self-polluting"
            and not (cache == "isolated" and each.is_cured)
        }

    def predicted(self, order: Sequence[str], cache: str) -> set[str]:
        """Return which tests fail in an order, those aside that do so by chance.

        Each test occurs once, and no other process is there.
        """
        places = {test: place for place, test in enumerate(order)}
        failing = self.of_verdict("broken") & places.keys()
        for leak in self.leaks:
            is_cured = cache == "isolated" and leak.is_cured
            for victim in places.keys() & set(leak.victims):
                before = order[: places[victim]]
                changes = not is_cured and leak.is_at_work(before, victim)
                if changes != (leak.verdict == "brittle"):
                    failing.add(victim)
        return failing

    def differences(self, report: dict, cache: str) -> list[str]:
        """Return what a report of ``stress --cache ...`` gets wrong, a line each.

        Nothing is asked of ``proof``, ``replay`` and ``cost``.
        """
        wanted = self.expected(cache)
        findings = report["findings"]
        lines = []
        for test, count in Counter(each["test"] for each in findings).items():
            if count > 1:
                lines.append(f"{test}: reported {count} times")
        reported = {each["test"]: each for each in findings}
        for test, saying in wanted.items():
            if test not in reported and saying.is_required:
                lines.append(f"{test}: missing, it is {saying.verdict}")
        cured = self.expected("shared").keys()
        for test, finding in reported.items():
            if test not in wanted:
                why = "isolation cures it" if test in cured else "it is stable"
                verdict = finding["verdict"]
                lines.append(f"{test}: accused of being {verdict}, but {why}")
            else:
                said = _differences(finding, wanted[test], cache)
                lines.extend(f"{test}: {line}" for line in said)
        return sorted(lines)

    def _ids(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(self.id_of, names))

    def _entries(self, kind: str) -> Iterator[dict]:
        for entry in self.read.get(kind, []):
            is_for_runner = entry.get("runner", "both") in ("both", self.runner)
            if is_for_runner and entry.get("server", "") in {"", *self._given}:
                yield entry

    def _leak(self, entry: dict) -> Leak:
        ids = self._ids
        cleaners = entry.get("cleaners", []) + entry.get(f"{self.runner}_cleaners", [])
        return Leak(
            name=entry["name"],
            verdict=entry.get("verdict", "victim"),
            victims=ids(entry["victims"]),
            polluters=tuple(map(ids, entry["polluters"])),
            cleaners=ids(cleaners),
            unreachable=frozenset(ids(entry.get("unreachable", []))),
            state=entry.get("state"),
            is_cured=entry.get("cured", False),
            is_within_class=entry.get("is_within_class", False),
            cure=entry.get("cure"),
        )

    def _alone(self, entry: dict) -> Alone:
        return Alone(
            name=entry["name"],
            verdict=entry["verdict"],
            tests=self._ids(entry["tests"]),
            polluters=tuple(map(self._ids, entry.get("polluters", []))),
            state=entry.get("state"),
            is_cured=entry.get("cured", False),
            cure=entry.get("cure"),
        )


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
    cure = (state or {}).get("cure", [])
    if saying.cure is not None and cure != [*filter(None, [saying.cure])]:
        yield f"cure is {saying.cure or 'none'}, not {cure}"
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
        # A name may hold brackets, which are no pattern then.
        value == state.get(name) or fnmatchcase(str(state.get(name)), value)
        for name, value in wanted.items()
    )


def _shown(state: Mapping | None) -> str:
    if state is None:
        return "unknown"
    names = ("kind", "alias", "key", "function", "name")
    return " ".join(str(state[name]) for name in names if name in state)
