"""Holding each promise against a project's own caches, on the spot.

Programs of calls (`programs`) are played (`playing`) in processes of their own
(`process`, `workers`), isolated and plainly; what came of them (`outcomes`) is compared
(`comparing`), and a report has one line for each promise (`promises`). Nothing is
touched but what the processes store themselves, under random names.
"""

from ci_cache_isolation.probing.checks import Limits, probe
from ci_cache_isolation.probing.promises import (
    Probed,
    ProbedAlias,
    Promise,
    Report,
    State,
)
from ci_cache_isolation.probing.worker import Channel

__all__ = [
    "Channel",
    "Limits",
    "Probed",
    "ProbedAlias",
    "Promise",
    "Report",
    "State",
    "probe",
]
