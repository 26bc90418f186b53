"""The runs of a stress run on disk, for one that goes on where it ended.

The file survives its writer: the first line says what the runs are of, and each run is
added as soon as it has ended. A process that is killed loses what it was at.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from msgspec import Meta

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.evidence.account import Entry
from ci_cache_isolation.evidence.conflicts import Suspicion
from ci_cache_isolation.judging.carrier import Carried
from ci_cache_isolation.judging.deciding_entry import NOT_TRIED, Decided
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.running.json_files import (
    FileError,
    as_type,
    check_arguments,
    check_names,
    checked_object,
    parsed,
)
from ci_cache_isolation.running.output import shown
from ci_cache_isolation.running.private_files import appended, written
from ci_cache_isolation.running.suite import SuiteTest
from ci_cache_isolation.stress.pairs import digest
from ci_cache_isolation.stress.plan import Kind
from ci_cache_isolation.stress.request import StressRequest
from ci_cache_isolation.stress.results import Run

__all__ = [
    "RUN_FILE",
    "KeptFinding",
    "Known",
    "PlanHeader",
    "ResumeError",
    "RunFile",
    "suite_name",
]

T = TypeVar("T")
RUN_FILE = "runs.jsonl"
SCHEMA = 1
_NOTHING = (
    "{} holds no run that could be resumed ({}). 'cache-isolation stress' writes one "
    "into orders/ in its report's folder, as soon as the suite's own order was run. "
    "Leave --resume out, or name that folder with --report."
)
_ANOTHER = (
    "The run in {} can't be resumed: {} is {!r} there, and {!r} here. What was seen "
    "there says nothing of what would be run here. "
    "Bring back what it had, or leave --resume out to begin anew."
)


class ResumeError(IsolationError):
    """There is no run that could be resumed, or it is of something else."""

    slug = "resume"


def suite_name(tests: Iterable[SuiteTest]) -> str:
    """Return what tells a suite from others, which would have another plan."""
    listed = [repr(test) for test in tests]
    return f"{len(listed)} tests, {digest(listed)}"


def _versions() -> dict[str, str]:
    own, django = (version(name) for name in ("ci-cache-isolation", "django"))
    return {
        "ci-cache-isolation": own,
        "Django": django,
        "Python": platform.python_version(),
    }


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What runs are of: only those of the same say something together.

    ``suite`` is its `suite_name`.
    """

    request: StressRequest
    runner: str
    settings: str
    suite: str
    versions: Mapping[str, str] = field(default_factory=_versions)

    def parts(self) -> Iterator[tuple[str, str]]:
        """Yield what has to be the same, as users know it.

        A plan may be made longer. One with rows only is another one.
        """
        request, wishes = self.request, self.request.wishes
        yield from self.versions.items()
        yield "--runner", self.runner
        yield "the list of labels", shown(request.labels)
        yield "--cache", request.cache.value
        yield "--seed", str(request.seed)
        yield "--shard", f"{request.shard.number}/{request.shard.of}"
        yield "--split", str(wishes.split)
        yield "--mixed", "on" if wishes.mixed else "off"
        yield "--until-pairs", "off" if wishes.until_pairs is None else "on"
        yield "the settings module", self.settings
        yield "the suite", self.suite


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A judgement, the entries that were found to carry it by groups, and a command."""

    judged: Judged
    carriers: tuple[Annotated[tuple[Entry, ...], Meta(min_length=1)], ...] = ()
    harmless: tuple[Entry, ...] = ()
    replay: str | None = None
    carried: Carried | None = None

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Return what is kept of a finding."""
        groups = finding.decided.groups
        return cls(
            finding.judged,
            tuple(tuple(each.conflict.entry for each in group) for group in groups),
            tuple(finding.decided.harmless),
            finding.replay,
            finding.carried,
        )

    def decided(self, suspicions: Iterable[Suspicion]) -> Decided:
        """Return what was decided of these; not tried if they are not the same."""
        known = {each.conflict.entry: each for each in suspicions}
        groups = self.carriers
        if not groups or any(entry not in known for group in groups for entry in group):
            return NOT_TRIED
        return Decided(
            tuple(tuple(map(known.__getitem__, group)) for group in groups),
            frozenset(self.harmless),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What a file holds: what the runs are of, and all that ended, forward first.

    ``kept`` are the judgements, by test.
    """

    path: Path
    about: PlanHeader
    runs: Sequence[Run]
    kept: Mapping[str, KeptFinding] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; `ResumeError` says why it holds nothing to go on from."""
        try:
            head, *others = _lines(path.read_text(encoding="utf-8", errors="replace"))
            about = _read(checked_object(head, schema=SCHEMA), PlanHeader)
            check_arguments(about.runner, *about.request.labels)
            read = [_line_read(each, number) for number, each in enumerate(others, 2)]
        except OSError as error:
            raise ResumeError(_NOTHING.format(path, error.strerror)) from None
        except FileError as error:
            raise ResumeError(_NOTHING.format(path, error)) from None
        runs = [each for each in read if isinstance(each, Run)]
        if not runs or runs[0].step.kind is not Kind.FORWARD:
            raise ResumeError(_NOTHING.format(path, "it does not begin with forward"))
        # The last word on a test counts.
        kept = {
            each.judged.test: each for each in read if isinstance(each, KeptFinding)
        }
        return cls(path, about, _last_words(runs), kept)

    def check_tests(self, suite: Iterable[SuiteTest]) -> None:
        """Raise a `ResumeError` if an order names tests that the suite has not."""
        there = {test.id for test in suite}
        of_runs = chain.from_iterable((run.order, *run.workers) for run in self.runs)
        judged = [each.judged for each in self.kept.values()]
        of_judged = chain.from_iterable(
            ([each.test], each.order, *each.after, each.cleaners) for each in judged
        )
        for test in chain(*of_runs, *of_judged):
            if test not in there:
                found = f"{test!r} is in an order, and no test of the suite"
                raise ResumeError(_NOTHING.format(self.path, found))

    def check(self, now: PlanHeader) -> None:
        """Raise a `ResumeError` if something else would be run now."""
        ours = dict(now.parts())
        for what, theirs in self.about.parts():
            if theirs != ours.get(what):
                text = _ANOTHER.format(self.path, what, theirs, ours.get(what))
                raise ResumeError(text)


class RunFile:
    """Is begun with the runs that are known, and takes one after the other."""

    def __init__(
        self,
        path: Path,
        about: PlanHeader,
        runs: Iterable[Run],
        kept: Iterable[KeptFinding] = (),
    ) -> None:
        self._path = path
        head = json.dumps({"schema": SCHEMA, **asdict(about)}) + "\n"
        # Anew, for what a killed process left at the end; whole, or as it was.
        written(path, head + "".join([*map(_line, runs), *map(_line, kept)]))

    def add(self, run: Run | KeptFinding) -> None:
        """Write a run or a judgement; it is there also after a power cut."""
        with appended(self._path) as file:
            file.write(_line(run))
            file.flush()
            os.fsync(file.fileno())


def _line(run: Run | KeptFinding) -> str:
    return json.dumps(asdict(run), default=sorted) + "\n"  # sets have no JSON


def _read(value: Any, kind: type[T]) -> T:
    made = as_type(value, kind)
    check_names(value, made)
    return made


def _line_read(value: Any, number: int) -> Run | KeptFinding:
    is_judgement = isinstance(value, dict) and "judged" in value
    try:
        return _read(value, KeptFinding) if is_judgement else _read(value, Run)
    except FileError as error:
        raise FileError(f"line {number}: {error}") from None


def _lines(content: str) -> list[Any]:
    """Return what each line says; the first at least."""
    found: list[Any] = []
    for line in content.splitlines() or [""]:
        try:
            found.append(parsed(line))
        except FileError:
            if not found:
                raise
            break  # the last line of a process that was killed while writing it
    return found


def _last_words(runs: Iterable[Run]) -> list[Run]:
    """Return runs in their sequence; of one that was run again, what came then."""
    return list({(run.step, run.cache): run for run in runs}.values())
