"""Databases that are not copied when a process forks: a clone for each fork at a time.

Clones are made and named as Django makes those of its parallel workers, so what a
killed run has left is in nobody's way: the next one puts its own in its place.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, redirect_stderr, suppress
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.db import connections
from django.db.backends.base.creation import BaseDatabaseCreation

from ci_cache_isolation.isolation import hook
from ci_cache_isolation.isolation.dialects.database import IS_DROPPED
from ci_cache_isolation.isolation.patches import Patches
from ci_cache_isolation.running.inside.changes import Watch

__all__ = [
    "CannotCloneError",
    "Slot",
    "Slots",
    "lasting",
    "let_go_of_connections",
    "made",
    "watch_set_up",
]

_SUFFIX = "fork{number}"
# What SQLite keeps beside a database; a journal of the clone before would be played
# back into the one that takes its place.
_BESIDE = ("-journal", "-wal", "-shm")
_made: set[str] = set()


class CannotCloneError(Exception):
    """A database can't be cloned, for a reason that is said in a few words."""


def watch_set_up() -> None:
    """Take note of test databases as they are made: no other may be cloned."""

    def noting(create: Callable[..., str]) -> Callable[..., str]:
        def create_test_db(self: Any, *args: Any, **kwargs: Any) -> str:
            name = create(self, *args, **kwargs)
            _made.add(self.connection.alias)
            return name

        return create_test_db

    Patches().wrap(BaseDatabaseCreation, "create_test_db", noting)


def made() -> list[str]:
    """Return the aliases of test databases that were made here, and of their mirrors.

    A mirror, or one that has the settings of another one, is led to its database.
    """
    return [
        alias
        for alias in connections
        if any(alias == each or _is_same(alias, each) for each in _made)
    ]


def lasting(aliases: Iterable[str]) -> list[str]:
    """Return the databases that are not copied when this process forks."""
    found = []
    for alias in aliases:
        connection: Any = connections[alias]
        if connection.vendor == "unknown":
            # The dummy of a project that has no database.
            continue
        # Imported with the first query: once here, and not in every fork.
        connection.ops.compiler("SQLCompiler")
        if not getattr(connection, "is_in_memory_db", bool)():
            found.append(alias)
    return found


def let_go_of_connections() -> None:
    """Leave forks nothing to share with each other on a server, of databases or caches.

    A database in memory is not closed by that; forks get a copy of it.
    """
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict.get("OPTIONS", {}).get("pool"):
            # Its threads would be missing in forks.
            connection.close_pool()  # type: ignore[attr-defined]
    caches.close_all()
    for _, cache in hook.open_caches():
        # Django's close() does nothing for libmemcached.
        if isinstance(cache, BaseMemcachedCache) and "_cache" in vars(cache):
            cache._cache.disconnect_all()  # type: ignore[attr-defined]  # noqa: SLF001


class Slot:
    """A clone of each database that lasts, for one fork at a time."""

    def __init__(self, number: int, aliases: Sequence[str]) -> None:
        self.number = number
        self.suffix = _SUFFIX.format(number=number)
        self.aliases = aliases
        self.changed = {alias for alias in aliases if _owner(alias, aliases) == alias}
        self._is_there: set[str] = set()

    def note_change(self, alias: str) -> None:
        """Take note that what is in a clone is no longer what was cloned."""
        if alias in self.aliases:
            self.changed.add(_owner(alias, self.aliases))

    def refresh(self) -> None:
        """Make anew the clones that were changed. `CannotCloneError`."""
        for alias in sorted(self.changed):
            connection: Any = connections[alias]
            self._drop(alias)
            printed = io.StringIO()
            try:
                with redirect_stderr(printed):
                    connection.creation.clone_test_db(self.suffix, verbosity=0)
            except (Exception, SystemExit) as error:
                said = printed.getvalue().strip() or f"{type(error).__name__}: {error}"
                raise CannotCloneError(f"{alias!r}: {said}") from error
            self._is_there.add(alias)
            self.changed.discard(alias)

    def enter(self, tell: Callable[[str], None] | None) -> None:
        """Lead this process to the clones; ``tell`` hears what is changed in them."""
        for alias in self.aliases:
            connection: Any = connections[alias]
            # In place, as Django does it: new threads have connections from there.
            connection.settings_dict.update(
                connection.creation.get_test_db_clone_settings(self.suffix)
            )
            connection.settings_dict[IS_DROPPED] = True
        if tell is not None:
            Watch(tell)

    def close(self) -> None:
        """Drop the clones."""
        for alias in sorted(self._is_there):
            self._drop(alias)

    def _drop(self, alias: str) -> None:
        if alias not in self._is_there:
            return
        connection: Any = connections[alias]
        name = connection.creation.get_test_db_clone_settings(self.suffix)["NAME"]
        # Where this fails, cloning says it.
        with suppress(Exception):
            if connection.vendor == "postgresql":
                _end_sessions(connection, name)
            connection.creation.destroy_test_db(suffix=self.suffix, verbosity=0)
        if connection.vendor == "sqlite":
            _remove_beside(name)
        self._is_there.discard(alias)


class Slots:
    """The slots there are; as many as forks were running at a time."""

    def __init__(
        self,
        aliases: Sequence[str],
        queries_allowed: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self._aliases = aliases
        self._queries_allowed = queries_allowed
        self._free: list[Slot] = []
        self._all: list[Slot] = []

    def why_not(self) -> str:
        """Return why the databases can't be cloned, empty if they can: it is tried."""
        reason = next(filter(None, map(_why_not, self._aliases)), "")
        if not reason:
            try:
                self.give_back(self.take())
            except CannotCloneError as error:
                self.close()
                reason = f"a clone can't be made: {error}"
        if reason:
            self._aliases = ()
        return reason

    def take(self) -> Slot | None:
        """Return a slot whose clones are as the databases were when they were set up.

        None where there is nothing to be cloned. `CannotCloneError` if that can't be.
        """
        if not self._aliases:
            return None
        self._free.sort(key=lambda slot: (len(slot.changed), slot.number))
        if self._free:
            slot = self._free.pop(0)
        else:
            slot = Slot(len(self._all) + 1, self._aliases)
            self._all.append(slot)
        if slot.changed:
            with self._queries_allowed():
                slot.refresh()
        return slot

    def give_back(self, slot: Slot | None) -> None:
        """Let others have a slot whose fork has ended."""
        if slot is not None:
            self._free.append(slot)

    def close(self) -> None:
        """Drop all clones."""
        with self._queries_allowed():
            for slot in self._all:
                slot.close()
        self._free.clear()
        self._all.clear()


def _why_not(alias: str) -> str:
    if alias not in made():
        return f"{alias!r} was not made by Django's own set-up of test databases"
    connection: Any = connections[alias]
    if type(connection.creation)._clone_test_db is BaseDatabaseCreation._clone_test_db:  # type: ignore[attr-defined] # noqa: SLF001
        return f"{alias!r} ({connection.vendor}) can't be cloned by Django"
    suffix = _SUFFIX.format(number=99)
    name = connection.creation.get_test_db_clone_settings(suffix)["NAME"]
    longest = connection.ops.max_name_length()
    if connection.vendor != "sqlite" and longest and len(name.encode()) > longest:
        return f"the name of {alias!r} leaves no room for that of a clone"
    return ""


def _owner(alias: str, aliases: Iterable[str]) -> str:
    """Return the alias by which the database of an alias is cloned."""
    same = [each for each in aliases if _is_same(alias, each)]
    return min(same, key=lambda each: (each not in _made, each))


def _is_same(one: str, other: str) -> bool:
    return _identity(one) == _identity(other)


def _identity(alias: str) -> tuple[Any, ...]:
    # No object is made for an alias that nobody uses.
    settings: Any = connections.settings[alias]
    primary = settings.get("TEST", {}).get("MIRROR")
    if primary in connections.settings and primary != alias:
        return _identity(primary)
    return tuple(settings.get(name) for name in ("ENGINE", "HOST", "PORT", "NAME"))


def _end_sessions(connection: Any, name: str) -> None:
    """End what a fork that was killed has left running in its clone."""
    with connection._nodb_cursor() as cursor:  # noqa: SLF001
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [name],
        )


def _remove_beside(name: Any) -> None:
    for each in _BESIDE:
        with suppress(FileNotFoundError):
            os.remove(f"{name}{each}")  # noqa: PTH107
