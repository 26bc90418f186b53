"""What a probe found out: one line for each promise, of each alias."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ci_cache_isolation.isolation.stores import NONE, PRIVATE_SERVER
from ci_cache_isolation.probing.comparing import Difference

__all__ = ["Probed", "ProbedAlias", "Promise", "Report", "State"]

_SHOWN = 3
"""How many differences of a broken promise are shown to people."""


class State(enum.Enum):
    """What became of a promise."""

    KEPT = "ok"
    BROKEN = "BROKEN"
    NOT_PROBED = "not probed"


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, held against one alias.

    ``number`` is the promise's in the project's list of promises. ``reason`` says why
    it is not kept, where no call shows that, or why it was not probed.
    """

    number: int
    name: str
    title: str
    state: State = State.KEPT
    calls: int = 0
    differences: tuple[Difference, ...] = ()
    reason: str = ""

    @classmethod
    def held(
        cls,
        number: int,
        name: str,
        title: str,
        differences: list[Difference],
        calls: int = 0,
    ) -> Promise:
        """Return a promise that is kept unless there is any difference."""
        state = State.BROKEN if differences else State.KEPT
        return cls(number, name, title, state, calls, tuple(differences))

    def lines(self) -> Iterator[str]:
        """Yield what is shown of it."""
        yield f"    {self.state.value:<10} {self.number:>2}  {self.title}"
        if self.reason:
            yield f"{' ' * 19}{self.reason}"
        for difference in self.differences[:_SHOWN]:
            yield f"{' ' * 19}{difference}"
        if len(self.differences) > _SHOWN:
            yield f"{' ' * 19}and {len(self.differences) - _SHOWN} more (--json)"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "number": self.number,
            "name": self.name,
            "title": self.title,
            "state": self.state.name.lower(),
            "calls": self.calls,
            "reason": self.reason,
            "differences": [each.to_json() for each in self.differences],
        }


@dataclass(frozen=True, slots=True)
class ProbedAlias:
    """An alias, as settings have it. ``location`` is without passwords."""

    alias: str
    backend: str
    location: str
    store: str | None
    possible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probed:
    """All that was found out about one alias.

    ``failure`` says why nothing could be, ``left_alone`` why nothing should be.
    """

    about: ProbedAlias
    place: str = ""
    promises: tuple[Promise, ...] = ()
    not_called: tuple[str, ...] = ()
    failure: str = ""
    left_alone: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether any promise is."""
        return any(each.state is State.BROKEN for each in self.promises)

    @property
    def advice(self) -> str:
        """What to do where a promise is broken."""
        broken = {each.name for each in self.promises if each.state is State.BROKEN}
        if not broken:
            return ""
        if broken == {"words"}:
            return (
                "nothing is lost or shared; leave it so, unless a test compares "
                "what is said"
            )
        alias, store = self.about.alias, self.about.store
        if PRIVATE_SERVER in self.about.possible and store != PRIVATE_SERVER:
            return (
                f"isolate(CACHES, stores={{{alias!r}: 'private-server'}}) gives each "
                "process a server of its own; probe again with it"
            )
        shared = (
            ""
            if store == NONE
            else f", or say isolate(CACHES, stores={{{alias!r}: 'none'}}) and have the "
            "tests that use it clean up"
        )
        return f"use LocMemCache for it in your test settings{shared}"

    def lines(self) -> Iterator[str]:
        """Yield what is shown of it."""
        about = self.about
        yield f"cache {about.alias!r}: {about.store or 'NOT ISOLATED'}"
        yield f"    {about.backend} {about.location}".rstrip()
        if self.left_alone:
            yield f"    {State.NOT_PROBED.value}: {self.left_alone}"
            return
        if self.failure:
            yield f"    {self.failure}"
        else:
            yield f"    probed {self.place}"
        for promise in self.promises:
            yield from promise.lines()
        if self.not_called:
            names = ", ".join(self.not_called)
            yield f"    not probed: {names} (what they would reach can't be known)"
        if advice := self.advice:
            yield f"    what to do: {advice}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "alias": self.about.alias,
            "backend": self.about.backend,
            "location": self.about.location,
            "store": self.about.store,
            "place": self.place,
            "failure": self.failure,
            "left_alone": self.left_alone,
            "not_called": list(self.not_called),
            "promises": [each.to_json() for each in self.promises],
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All aliases of a project's settings."""

    caches: tuple[Probed, ...] = field(default_factory=tuple)

    @property
    def is_broken(self) -> bool:
        """Whether any promise is, of any alias."""
        return any(each.is_broken for each in self.caches)

    @property
    def is_whole(self) -> bool:
        """Whether every alias that should be could be probed."""
        return not any(each.failure for each in self.caches)

    def lines(self) -> Iterator[str]:
        """Yield what is shown of it."""
        for each in self.caches:
            yield from each.lines()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"schema": 1, "caches": [each.to_json() for each in self.caches]}
