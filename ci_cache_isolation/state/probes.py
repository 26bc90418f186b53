"""What a process keeps where no container holds it: one probe for each.

Each is called what its value is asked by, so a name is a line to try: ``os.getcwd()``.
"""

from __future__ import annotations

import decimal
import gc
import locale
import os
import random
import signal
import socket
import sys
import threading
import time
from array import array
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from ci_cache_isolation.state.comparing import MISSING, Contents
from ci_cache_isolation.state.containers import Keyed

__all__ = ["PROBES", "Probe", "Probes", "is_probe"]


class Probe(NamedTuple):
    """How a value is asked, and how it is put back; None where it can't be."""

    ask: Callable[[], Any]
    put: Callable[[Any], object] | None


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - it is asked after every test
    except OSError:
        return ""  # it was removed


def _umask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found


def _random() -> bytes:
    # As what two states can be compared by, and quickly: it is asked for every test.
    version, numbers, gauss = random.getstate()
    return b"%d %b %b" % (version, repr(gauss).encode(), array("L", numbers).tobytes())


def _set_random(state: bytes) -> None:
    version, gauss, numbers = state.split(b" ", 2)
    found = array("L")
    found.frombytes(numbers)
    gauss_next = None if gauss == b"None" else float(gauss)
    random.setstate((int(version), tuple(found), gauss_next))


def _set_time_zone(_: Any) -> None:
    # TZ itself is in the environment.
    if hasattr(time, "tzset"):
        time.tzset()


def _signal(number: signal.Signals) -> Probe:
    def put(handler: Any) -> None:
        # None is one that was not set in Python.
        if handler is not None:
            signal.signal(number, handler)

    return Probe(lambda: signal.getsignal(number), put)


class _Context:
    """The decimal context: what makes it one, and not the flags that it collects."""

    def ask(self) -> str:
        context = decimal.getcontext().copy()
        context.clear_flags()
        return repr(context)

    def put(self, text: str) -> None:
        arguments = text.partition("(")[2].rpartition(")")[0]
        values: dict[str, Any] = {}
        for name in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp"):
            value = arguments.partition(f"{name}=")[2].partition(",")[0].strip()
            values[name] = value if name == "rounding" else int(value)
        traps = arguments.partition("traps=[")[2].partition("]")[0]
        values["traps"] = [
            getattr(decimal, each.strip()) for each in traps.split(",") if each.strip()
        ]
        decimal.setcontext(decimal.Context(**values, flags=[]))


_DECIMAL = _Context()
PROBES: dict[str, Probe] = {
    "os.getcwd()": Probe(_folder, os.chdir),
    "os.umask()": Probe(_umask, os.umask),
    "decimal.getcontext()": Probe(_DECIMAL.ask, _DECIMAL.put),
    "gc.isenabled()": Probe(
        gc.isenabled, lambda is_on: gc.enable() if is_on else gc.disable()
    ),
    "locale.setlocale(locale.LC_ALL)": Probe(
        lambda: locale.setlocale(locale.LC_ALL),
        lambda value: locale.setlocale(locale.LC_ALL, value),
    ),
    "random.getstate()": Probe(_random, _set_random),
    "socket.getdefaulttimeout()": Probe(
        socket.getdefaulttimeout, socket.setdefaulttimeout
    ),
    "sys.getrecursionlimit()": Probe(sys.getrecursionlimit, sys.setrecursionlimit),
    "sys.getswitchinterval()": Probe(sys.getswitchinterval, sys.setswitchinterval),
    "threading.enumerate()": Probe(
        lambda: ", ".join(sorted(each.name for each in threading.enumerate())), None
    ),
    "time.tzname": Probe(lambda: "/".join(time.tzname), _set_time_zone),
    **{
        f"signal.getsignal(signal.{each.name})": _signal(each)
        for each in signal.Signals
        if each in signal.valid_signals()
    },
}


def is_probe(name: object) -> bool:
    """Return whether a name is that of a probe."""
    return type(name) is str and name in PROBES


class Probes(Keyed):
    """All of them, as one container."""

    is_special = True

    def __init__(self) -> None:
        self._latest: dict[str, Any] = {}

    def read(self, container: Any) -> Contents:
        """Return the names of those that can be asked, and their values."""
        keys: list[str] = []
        values: list[Any] = []
        for name in list(container):
            value = self.get(container, name)
            if value is not MISSING:
                keys.append(name)
                values.append(value)
        return tuple(keys), tuple(values)

    def get(self, container: Any, key: Any) -> Any:
        """Return the value of one, `MISSING` where it can't be asked."""
        with suppress(OSError, RuntimeError, ValueError, locale.Error):
            value = container[key].ask()
            # Equal ones are the same, so that they can be told from others by `is`.
            if self._latest.get(key, MISSING) != value:
                self._latest[key] = value
            return self._latest[key]
        return MISSING

    def put(self, container: Any, key: Any, value: Any) -> None:
        """Put a value back, where that can be done."""
        put = container[key].put
        if put is not None and value is not MISSING:
            with suppress(OSError, RuntimeError, ValueError, locale.Error):
                put(value)
