"""What the lines of a file of runs have to look like: no other can be resumed."""

from __future__ import annotations

from ci_cache_isolation.judging.proofs import TIMES, Verdict
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import MOST_PROCESSES, Cache
from ci_cache_isolation.running.shapes import (
    argument,
    choice,
    exactly,
    fixed,
    flag,
    items,
    maybe,
    real,
    record,
    table,
    text,
    whole,
)
from ci_cache_isolation.stress.plan import Kind

__all__ = ["ABOUT", "KEPT", "RUN", "SCHEMA"]

SCHEMA = 1
_PROCESSES = whole(1, MOST_PROCESSES)
_SEED = whole(0, 2**33)
ABOUT = record(
    {
        "schema": exactly(SCHEMA),
        "request": record(
            {
                "labels": items(argument),
                "cache": choice(Cache),
                "wishes": record(
                    {
                        "orders": maybe(whole()),
                        "until_pairs": maybe(real()),
                        "twice": flag,
                        "split": whole(0, MOST_PROCESSES),
                        "mixed": flag,
                    },
                    is_whole=True,
                ),
                "minutes": maybe(real()),
                "seed": _SEED,
                "processes": _PROCESSES,
                "shard": record({"number": whole(1), "of": whole(1)}, is_whole=True),
                "hashes_keys": flag,
            },
            is_whole=True,
        ),
        "runner": argument,
        "settings": text,
        "suite": text,
        "versions": table(text),
    }
)
RUN = record(
    {
        "step": record(
            {
                "index": whole(),
                "kind": choice(Kind),
                "seed": maybe(_SEED),
                "reverse": flag,
                "processes": _PROCESSES,
                "row": whole(),
                "mixed": flag,
            },
            is_whole=True,
        ),
        "cache": choice(Cache),
        "end": choice(End),
        "seconds": real(),
        "order": items(text),
        "passed": items(text),
        "failed": items(text),
        "skipped": items(text),
        "running": maybe(text),
        "workers": items(items(text)),
        "messages": table(text),
    },
    is_whole=True,
)
_TESTS = items(text)
_TIMES = whole(0, TIMES)
_ENTRY = fixed(text, text, text, text)
KEPT = record(
    {
        "judged": record(
            {
                "test": text,
                "verdict": choice(Verdict),
                "proof": record(
                    {
                        "alone": _TIMES,
                        "after": maybe(_TIMES),
                        "isolated": maybe(_TIMES),
                        "reset": maybe(_TIMES),
                    },
                    is_whole=True,
                ),
                "order": _TESTS,
                "after": items(items(text, least=1)),
                "cleaners": _TESTS,
                "isolation_cures": maybe(flag),
                "replayed": maybe(
                    record({"failed": whole(), "runs": whole()}, is_whole=True)
                ),
                "message": text,
                "is_complete": flag,
                "cost": record({"runs": whole(), "seconds": real()}, is_whole=True),
            },
            is_whole=True,
        ),
        "carriers": items(items(_ENTRY, least=1)),
        "harmless": items(_ENTRY),
        "replay": maybe(text),
    },
    is_whole=True,
)
