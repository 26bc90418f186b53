"""An order file that can come from anywhere: read only if it can be run."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.running.json_files import (
    FileError,
    as_type,
    check_arguments,
    check_names,
    checked_object,
    loaded,
)
from ci_cache_isolation.running.order_file import MOST_PROCESSES, SCHEMA, OrderFile

__all__ = ["OrderFileError", "recorded_order"]

_NOT_AN_ORDER = (
    "{} holds no recorded order ({}). Only such a file can be replayed. "
    "'cache-isolation stress' and 'audit' write them to orders/ in their report folder."
)


class OrderFileError(IsolationError):
    """A file holds no order that can be run."""

    slug = "order-file"


def recorded_order(path: Path) -> OrderFile:
    """Return the order in a file; `OrderFileError` says what is wrong with the file."""
    try:
        values = checked_object(loaded(path), schema=SCHEMA)
        order = as_type(values, OrderFile)
        # Earlier versions have not all names.
        check_names(asdict(order) | values, order)
        _check(order)
    except FileError as error:
        raise OrderFileError(_NOT_AN_ORDER.format(path, error)) from None
    return order


def _check(order: OrderFile) -> None:
    check_arguments(order.runner, *order.labels)
    seed = order.hash_seed
    is_number = re.fullmatch("[0-9]{1,10}", seed) and int(seed) < 2**32
    # What PYTHONHASHSEED may be.
    if seed != "random" and not is_number:
        raise FileError("hash_seed is no seed of hashes")
    if not 1 <= order.processes <= MOST_PROCESSES:
        raise FileError(
            f"processes is {order.processes}, not a number from 1 to {MOST_PROCESSES}"
        )
