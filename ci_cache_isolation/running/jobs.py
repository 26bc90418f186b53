"""What a fork is asked to run, and what becomes of it: for both sides of the socket."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from ci_cache_isolation.isolation.environment import (
    AUDIT_VARIABLE,
    LOOK_VARIABLE,
    UNDO_VARIABLE,
)
from ci_cache_isolation.state.comparing import Mark
from ci_cache_isolation.state.where import Where

__all__ = [
    "FOLDER_VARIABLE",
    "FORKS_VARIABLE",
    "NO_END",
    "RESET_VARIABLE",
    "SCOPE_VARIABLE",
    "End",
    "Forked",
    "Job",
    "SectionMode",
]

FORKS_VARIABLE = "CI_CACHE_ISOLATION_FORKS"
"""Holds the number of the inherited socket."""
FOLDER_VARIABLE = "CI_CACHE_ISOLATION_FORKS_FOLDER"
"""Holds the folder for temporary files of forks, which the client removes."""
SCOPE_VARIABLE = "CI_CACHE_ISOLATION_SCOPE"
"""Holds the narrowest scope with sections of its own: an option's variable."""
RESET_VARIABLE = "CI_CACHE_ISOLATION_RESET_MEMOISED"
"""Tells whether memoised functions forget after each test: an option's too."""

STATE_VARIABLE = "CI_CACHE_ISOLATION_STATE"
"""Names what else is put back after each test: an option's too."""

NO_END = "no end within"
"""How the message begins of a test that had no end within its time."""


class SectionMode(enum.StrEnum):
    """How a fork's caches are.

    SHARED is what isolation off would be, but harmless: the tests of one fork meet in
    one section of each cache, and other forks see nothing of it. ISOLATED gives each
    test a section of its own. So do two others: under REMEMBERING the project's
    memoised functions go on remembering, under RESET they forget after each test. With
    COMMON all forks of the same tag meet in one section of each cache that processes
    can share: those on servers, in tables of one database and in files, and not those
    in memory.
    """

    SHARED = "shared"
    ISOLATED = "isolated"
    REMEMBERING = "remembering"
    RESET = "reset"
    COMMON = "common"

    @property
    def is_shared(self) -> bool:
        """Return whether tests meet in them."""
        return self in {SectionMode.SHARED, SectionMode.COMMON}

    @property
    def variables(self) -> dict[str, str]:
        """What the environment says of them, where it says already that tests meet."""
        variables = {} if self.is_shared else {SCOPE_VARIABLE: "test"}
        if self in {SectionMode.REMEMBERING, SectionMode.RESET}:
            is_reset = self is SectionMode.RESET
            variables[RESET_VARIABLE] = "on" if is_reset else "off"
        return variables


class End(enum.StrEnum):
    """How a fork ended."""

    FINISHED = "finished"
    DIED = "died"
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Job:
    """Tests to be run in one fork, in this order; one may be there several times.

    ``seconds`` is its own time limit, ``common`` the tag for COMMON sections. What its
    tests do to caches is recorded for an audit in the folder ``notes``. What they
    did to the entries ``undone`` is undone before the last of them begins; each is
    given as an audit writes it down, after its alias.

    Of all else that a process keeps, ``put_back`` are the places that are as before
    when the last of them begins. What is not as it was then is told in the file
    ``traces``, where that is named, with the line that changed the place ``watched``;
    ``where`` says what is looked at; in each the places have numbers of their own.
    ``whole`` names a file for what is found out about all tests by what they leave,
    with what isolation then puts back where it is ``is_before_isolation``.
    What ``state`` names is put back after each test, as by the user's option.
    """

    tests: tuple[str, ...]
    sections: SectionMode = SectionMode.SHARED
    seconds: float | None = None
    common: str = ""
    notes: str = ""
    undone: tuple[tuple[str, ...], ...] = ()
    traces: str = ""
    where: Where = Where.ALL
    put_back: tuple[Mark, ...] = ()
    watched: Mark | None = None
    whole: str = ""
    is_before_isolation: bool = False
    state: tuple[str, ...] = ()

    @property
    def needs_look(self) -> bool:
        """Whether it compares what a process keeps with what it kept before."""
        return bool(self.traces or self.put_back or self.whole)

    @property
    def variables(self) -> dict[str, str]:
        """What the environment of its tests says besides how their caches are."""
        variables = {}
        if self.notes:
            variables[AUDIT_VARIABLE] = self.notes
        if self.undone:
            before = len(self.tests) - 1
            variables[UNDO_VARIABLE] = json.dumps([before, self.undone])
        if self.traces or self.put_back:
            variables[LOOK_VARIABLE] = json.dumps({
                "before": len(self.tests) - 1,
                "tell": self.traces,
                "where": self.where,
                "put_back": self.put_back,
                "watched": self.watched,
            })  # fmt: skip
        if self.state:
            variables[STATE_VARIABLE] = ",".join(self.state)
        return variables

    def to_json(self) -> dict[str, Any]:
        """Return it as the process that forks is sent it."""
        return asdict(self)

    @classmethod
    def from_json(cls, sent: Mapping[str, Any]) -> Self:
        """Return the job that was sent."""
        known = {each.name: sent[each.name] for each in fields(cls)}
        known["tests"] = tuple(sent["tests"])
        known["sections"] = SectionMode(sent["sections"])
        known["undone"] = tuple(map(tuple, sent["undone"]))
        known["put_back"] = tuple((number, key) for number, key in sent["put_back"])
        known["watched"] = sent["watched"] and tuple(sent["watched"])
        known["state"] = tuple(sent["state"])
        known["where"] = Where(sent["where"])
        return cls(**known)

    def __post_init__(self) -> None:
        if (self.sections is SectionMode.COMMON) != bool(self.common):
            raise ValueError("a job has a common tag with COMMON sections only")


@dataclass(frozen=True, slots=True)
class Forked:
    """What became of a job.

    ``outcomes`` are by test. A test in which the process died or was stopped has
    failed; those after it have no outcome. ``message`` is one line about the last
    test's failure, or about the end of the process; ``messages`` has one for each test
    that failed. ``order`` holds the tests as they were really started, one that was run
    twice twice. ``seconds`` is the time from the fork to its end.
    """

    job: Job
    end: End
    outcomes: Mapping[str, str]
    seconds: float
    message: str
    messages: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as whoever sent the job is told it, who knows that."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        del told["job"]
        return told

    @classmethod
    def from_json(cls, job: Job, told: Mapping[str, Any]) -> Self:
        """Return what became of a job."""
        known = {
            each.name: told[each.name] for each in fields(cls) if each.name in told
        }
        known["end"] = End(told["end"])
        known["order"] = tuple(told["order"])
        return cls(job=job, **known)

    @property
    def last(self) -> str | None:
        """The outcome of the job's last test; None if the process did not get there."""
        return self.outcomes.get(self.job.tests[-1])

    @property
    def came_to(self) -> str | None:
        """That outcome, or how the process ended before; None if it was interrupted."""
        return None if self.end is End.INTERRUPTED else self.last or self.end.value
