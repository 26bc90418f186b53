"""What ``report.json`` holds, name by name: for those that write it and that read it.

What is not required is in all that this version writes, and may be missing in what an
earlier one wrote and `merge` reads. The JSON Schema beside this module,
``report.schema.json``, is made of these types.
"""

from typing import Annotated, Any, Literal, NotRequired, Required, TypedDict

import msgspec
from msgspec import Meta

from ci_cache_isolation.evidence.account import How
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.checked_types import Amount, Count, Seed
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.stress.plan import Kind

__all__ = [
    "BoundRow",
    "ConflictRow",
    "CostRow",
    "CoverageRow",
    "Document",
    "FailureRow",
    "FindingRow",
    "LeftRow",
    "Name",
    "PairsRow",
    "ProofRow",
    "RunRow",
    "SeenRow",
    "StateRow",
    "SuiteRow",
    "ToolRow",
    "TraceRow",
    "json_schema",
]

_Pairs = Annotated[int, Meta(ge=0, le=2**62)]
_NAMES = [
    {"required": ["alias", "key"]},
    {"required": ["function"]},
    {"required": ["name"]},
]
_Group = Annotated[list[str], Meta(min_length=1)]


class ToolRow(TypedDict):
    """What wrote the report."""

    name: str
    version: str


class SuiteRow(TypedDict):
    """Whose tests were run. ``tests`` is their number, ``settings`` may be empty."""

    runner: str
    tests: Count
    settings: str


class RunRow(TypedDict):
    """One run. ``failed`` and ``collided`` are ids, ``messages`` a line for each id.

    Those of an audit have no more than what every run has.
    """

    index: Count
    kind: Kind
    seed: NotRequired[Seed | None]
    cache: Cache
    processes: NotRequired[Count]
    seconds: Amount
    failed: list[str]
    name: NotRequired[str]
    reversed: NotRequired[bool]
    end: NotRequired[End]
    passed: NotRequired[Count]
    skipped: NotRequired[Count]
    collided: NotRequired[list[str]]
    messages: NotRequired[dict[str, str]]


class CoverageRow(TypedDict):
    """Which pairs of tests were run in their order, packed: for ``merge``."""

    tests: Count
    ids: str
    ranks: list[tuple[Count, Count]]
    before: str
    next_before: str


class PairsRow(TypedDict):
    """Numbers of ordered pairs of tests; null where they were not counted."""

    total: _Pairs
    covered: _Pairs | None
    adjacent: _Pairs | None
    unreachable: _Pairs | None
    coverage: NotRequired[CoverageRow]


class BoundRow(TypedDict, total=False):
    """What clean runs say of others: fewer than this share of them fail."""

    clean_runs: Count
    confidence: Amount
    failure_rate_below: Amount | None


class LeftRow(TypedDict):
    """A test that left an entry, and where. ``expires_in`` is in seconds.

    ``called_at`` is the line of the test itself, where one is known.
    """

    test: str
    at: str
    called_at: NotRequired[str]
    how: NotRequired[How]
    expires_in: NotRequired[Amount | None]


class SeenRow(TypedDict):
    """A test that looked at it, and where; ``hit`` is null where that is unknown."""

    test: str
    at: str
    called_at: NotRequired[str]
    hit: NotRequired[bool | None]


class ConflictRow(TypedDict):
    """What one test leaves and another one reads. ``alias`` may be empty.

    ``made`` is what the user's own key function makes of the key.
    """

    alias: str | None
    key: str
    made: NotRequired[str]
    pattern: NotRequired[str | None]
    version: str | int | None
    left_by: list[LeftRow]
    seen_by: list[SeenRow]
    result: NotRequired[Literal["carried", "harmless", "untested"]]


class Name(TypedDict, total=False):
    """An entry of a cache, which has ``alias`` and ``key``, or a memoised ``function``.

    Or anything else that a process keeps, by the ``name`` that it has in Python.
    ``made`` is what the user's own key function makes of the key.
    """

    alias: str
    key: str
    made: str
    function: str
    name: str
    written_at: str | None


_Named = Annotated[Name, Meta(extra_json_schema={"anyOf": _NAMES})]
_Enough = TypedDict(
    "_Enough",
    {"or": NotRequired[list[Annotated[list[_Named], Meta(min_length=1)]]]},
)


class StateRow(Name, _Enough, total=False):
    """What carried a failure, where it was written or called, and where it was read.

    ``expires_in`` is in seconds, where they are few. ``together`` is needed besides;
    each group of ``or`` is enough as well. Of state that is no cache ``was`` and
    ``became`` are kinds and lengths, ``put_back`` says how often the test failed when
    it was as before, and ``cure`` are the names that isolate() takes as ``state``.
    """

    kind: Required[Literal["cache", "memoised", "state"]]
    version: str
    how: How | None
    was: str
    became: str
    put_back: str
    cure: list[str]
    written_from: str | None
    read_at: Required[str | None]
    read_from: str | None
    expires_in: Amount | None
    together: list[_Named]


_State = Annotated[
    StateRow, Meta(extra_json_schema={"anyOf": _NAMES, "required": ["written_at"]})
]


class ProofRow(TypedDict):
    """How often the test failed how, as in ``5/5``; null for what was not run."""

    alone: str
    after: str | None
    isolated: str | None
    reset: NotRequired[str | None]
    same_order: NotRequired[str | None]


class CostRow(TypedDict):
    """Short runs that it took, and the seconds in them."""

    runs: Count
    seconds: Amount


class FindingRow(TypedDict):
    """A test that was judged. Groups of ``after`` are needed together, each is enough.

    ``order`` is the number of tests in the shortest order that shows it. ``suspected``
    is what the tests have in common, where nothing shows that it is what carries it.
    Of an audit ``cause`` numbers what one change would fix.
    """

    test: str
    verdict: Verdict
    after: list[_Group]
    order: NotRequired[Count]
    cleaners: list[str]
    complete: NotRequired[bool]
    state: _State | None
    suspected: NotRequired[_State | None]
    proof: ProofRow
    message: NotRequired[str]
    isolation_cures: bool | None
    replay: str | None
    cost: CostRow
    cause: NotRequired[Count]


class TraceRow(TypedDict):
    """What tests leave besides caches, by how many, and for how many tests it matters.

    Of those for whom it matters only tests count that were judged.
    """

    name: str
    left_by: Count
    victims: Count


class FailureRow(TypedDict):
    """A test that failed, in which runs, and in which it passed: indices."""

    test: str
    flaky: bool
    failed_in: list[Count]
    passed_in: list[Count]
    replay: str | None


class Document(TypedDict):
    """A report of audit, of stress, or of several of stress that were merged.

    ``cost`` is what it took an audit to put conflicts to the test.
    """

    schema: Literal[1]
    command: Literal["audit", "stress"]
    tool: ToolRow
    suite: SuiteRow
    interrupted: bool
    complete: NotRequired[bool]
    failure: NotRequired[str]
    remarks: NotRequired[list[str]]
    runs: list[RunRow]
    pairs: PairsRow
    bound: BoundRow
    conflicts: list[ConflictRow]
    findings: list[FindingRow]
    failures: NotRequired[list[FailureRow]]
    traces: NotRequired[list[TraceRow]]
    cost: NotRequired[CostRow]
    seed: NotRequired[Seed | None]
    shard: NotRequired[str | None]
    merged: NotRequired[Count]


def json_schema() -> dict[str, Any]:
    """Return what every report conforms to, as JSON Schema has it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json of cache-isolation",
        **msgspec.json.schema(Document, schema_hook=_words_of),
    }


def _words_of(kind: type) -> dict[str, Any]:
    assert kind is Verdict
    return {"description": "What is the matter with a test.", "enum": [*Verdict.known]}
