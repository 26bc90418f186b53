"""What ``report.json`` holds, name by name: for those that write it and that read it.

What is not required is in all that this version writes, and may be missing in what an
earlier one wrote and `merge` reads. The JSON Schema beside this module,
``report.schema.json``, is made of these types.
"""

import enum
import types
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    final,
    get_args,
    get_origin,
    get_type_hints,
)

from ci_cache_isolation.evidence.account import How
from ci_cache_isolation.judging.proofs import Verdict
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.shapes import fixed, items, maybe, of_type, text, whole
from ci_cache_isolation.stress.plan import Kind

__all__ = [
    "BoundRow",
    "Carried",
    "ConflictRow",
    "CostRow",
    "CoverageRow",
    "Document",
    "EntryName",
    "EntryRow",
    "FailureRow",
    "FindingRow",
    "FunctionName",
    "FunctionRow",
    "LeftRow",
    "Name",
    "PairsRow",
    "ProofRow",
    "RunRow",
    "SeenRow",
    "StateRow",
    "SuiteRow",
    "ToolRow",
    "json_schema",
]


class ToolRow(TypedDict):
    """What wrote the report."""

    name: str
    version: str


class SuiteRow(TypedDict):
    """Whose tests were run. ``tests`` is their number, ``settings`` may be empty."""

    runner: str
    tests: int
    settings: str


class RunRow(TypedDict):
    """One run. ``failed`` and ``collided`` are ids, ``messages`` a line for each id.

    Those of an audit have no more than what every run has.
    """

    index: int
    kind: Kind
    seed: NotRequired[int | None]
    cache: Cache
    processes: NotRequired[int]
    seconds: float
    failed: list[str]
    name: NotRequired[str]
    reversed: NotRequired[bool]
    end: NotRequired[End]
    passed: NotRequired[int]
    skipped: NotRequired[int]
    collided: NotRequired[list[str]]
    messages: NotRequired[dict[str, str]]


class CoverageRow(TypedDict):
    """Which pairs of tests were run in their order, packed: for ``merge``."""

    tests: int
    ids: str
    ranks: list[Annotated[list[int], fixed(whole(), whole())]]
    before: str
    next_before: str


class PairsRow(TypedDict):
    """Numbers of ordered pairs of tests; null where they were not counted."""

    total: Annotated[int, whole(0, 2**62)]
    covered: Annotated[int | None, maybe(whole(0, 2**62))]
    adjacent: Annotated[int | None, maybe(whole(0, 2**62))]
    unreachable: Annotated[int | None, maybe(whole(0, 2**62))]
    coverage: NotRequired[CoverageRow]


class BoundRow(TypedDict, total=False):
    """What clean runs say of others: fewer than this share of them fail."""

    clean_runs: int
    confidence: float
    failure_rate_below: float | None


class LeftRow(TypedDict):
    """A test that left an entry, and where. ``expires_in`` is in seconds.

    ``called_at`` is the line of the test itself, where one is known.
    """

    test: str
    at: str
    called_at: NotRequired[str]
    how: NotRequired[How]
    expires_in: NotRequired[float | None]


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


@final
class EntryName(TypedDict):
    """An entry of a cache; ``made`` is what the user's own key function makes of it."""

    alias: str
    key: str
    made: NotRequired[str]


@final
class FunctionName(TypedDict):
    """What a memoised function remembers, and where it was called first."""

    function: str
    written_at: str | None


Name = EntryName | FunctionName

Carried = TypedDict(
    "Carried",
    {
        "how": NotRequired[How | None],
        "written_at": str | None,
        "written_from": NotRequired[str | None],
        "read_at": str | None,
        "read_from": NotRequired[str | None],
        "expires_in": NotRequired[float | None],
        "together": NotRequired[list[Name]],
        "or": NotRequired[list[Annotated[list[Name], items(of_type(Name), least=1)]]],
    },
)


@final
class EntryRow(Carried):
    """An entry that carried a failure, where it was written and where it was read.

    ``expires_in`` is in seconds, where they are few. ``together`` is needed besides;
    each group of ``or`` is enough as well.
    """

    kind: Literal["cache"]
    alias: str
    key: str
    made: NotRequired[str]
    version: NotRequired[str]


@final
class FunctionRow(Carried):
    """A memoised function that carried a failure, and likewise."""

    kind: Literal["memoised"]
    function: str


StateRow = EntryRow | FunctionRow


class ProofRow(TypedDict):
    """How often the test failed how, as in ``5/5``; null for what was not run."""

    alone: str
    after: str | None
    isolated: str | None
    reset: NotRequired[str | None]
    same_order: NotRequired[str | None]


class CostRow(TypedDict):
    """Short runs that it took, and the seconds in them."""

    runs: int
    seconds: float


class FindingRow(TypedDict):
    """A test that was judged. Groups of ``after`` are needed together, each is enough.

    ``order`` is the number of tests in the shortest order that shows it. ``suspected``
    is what the tests have in common, where nothing shows that it is what carries it.
    Of an audit ``cause`` numbers what one change would fix.
    """

    test: str
    verdict: Verdict
    after: list[Annotated[list[str], items(text, least=1)]]
    order: NotRequired[int]
    cleaners: list[str]
    complete: NotRequired[bool]
    state: StateRow | None
    suspected: NotRequired[StateRow | None]
    proof: ProofRow
    message: NotRequired[str]
    isolation_cures: bool | None
    replay: str | None
    cost: CostRow
    cause: NotRequired[int]


class FailureRow(TypedDict):
    """A test that failed, in which runs, and in which it passed: indices."""

    test: str
    flaky: bool
    failed_in: list[int]
    passed_in: list[int]
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
    cost: NotRequired[CostRow]
    seed: NotRequired[int | None]
    shard: NotRequired[str | None]
    merged: NotRequired[int]


_PLAIN = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
}


def json_schema() -> dict[str, Any]:
    """Return what every report conforms to, as JSON Schema has it."""
    defined: dict[str, Any] = {}
    reference = _schema(Document, defined)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json of cache-isolation",
        **reference,
        "$defs": dict(sorted(defined.items())),
    }


def _schema(kind: Any, defined: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    made: dict[str, Any]
    if kind in _PLAIN:
        made = dict(_PLAIN[kind])
    elif origin is Literal:
        made = {"enum": list(arguments)}
    elif origin in {Union, types.UnionType}:
        made = {"anyOf": [_schema(each, defined) for each in arguments]}
    elif origin is list:
        made = {"type": "array", "items": _schema(arguments[0], defined)}
    elif origin is dict:
        of_values = _schema(arguments[1], defined)
        made = {"type": "object", "additionalProperties": of_values}
    elif issubclass(kind, enum.Enum):
        made = {"enum": [each.value for each in kind]}
    else:
        made = {"$ref": f"#/$defs/{kind.__name__}"}
        if kind.__name__ not in defined:
            # Before its fields: a state may hold states.
            defined[kind.__name__] = {}
            defined[kind.__name__] |= _object(kind, defined)
    return made


def _object(kind: Any, defined: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": (kind.__doc__ or "").partition("\n")[0],
        "type": "object",
        "properties": {
            name: _schema(each, defined) for name, each in get_type_hints(kind).items()
        },
        "required": sorted(kind.__required_keys__),
    }
