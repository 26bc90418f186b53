"""Where an alias is probed: in a place of its own, or under random names on a server.

A backend that empties or culls all that it finds gets a place of its own: a dictionary,
a directory, a table. A new kind of place is a class here, and its name in `_KINDS`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections, router

from ci_cache_isolation.isolation.dialects import dialect_of
from ci_cache_isolation.isolation.dialects.generic import GenericDialect

__all__ = ["Place", "Table", "new_folder", "place_for", "remove_folder"]


_ALL_KEPT = {"max_entries": 1_000_000}
"""Nothing is culled while it is looked for."""


class Place:
    """Where an alias's entries are while it is probed: on the user's own server.

    ``is_own`` says that nobody else's entries can be there.
    """

    classes: ClassVar[tuple[str, ...]] = ()
    """Backends whose caches are probed there, and what derives from them."""
    is_own: ClassVar[bool] = False
    text: ClassVar[str] = "under random names where its settings say"

    def __init__(self, token: str, folder: str, alias: str) -> None:
        self.token = token
        self.folder = folder
        # Letters and digits, for names of files and of tables.
        self.short = f"{token}_{alias.encode().hex()[:_SHORT]}"

    def settings(self, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Return an alias's settings, with the place in them."""
        return {**conf}

    def database(self, cache: Any) -> str | None:  # noqa: ARG002
        """Return the alias of the database that a cache is in, None if in none."""
        return None

    def enter(self) -> None:
        """Lead this process there, before the cache is opened."""

    def is_for_one(self, cache: Any) -> bool:  # noqa: ARG002
        """Return whether one process at a time can use it."""
        return False

    def make(self, cache: Any) -> None:
        """Make what the cache needs there: one process does it, for all."""

    def left(self, cache: Any) -> list[str]:  # noqa: ARG002
        """Return what is there, as far as that can be listed."""
        return []

    def remove(self, cache: Any) -> None:
        """Delete what `make` made."""


class Memory(Place):
    """A dictionary that other caches of the process don't use."""

    classes = ("django.core.cache.backends.locmem.LocMemCache",)
    is_own = True
    text = "in dictionaries of its own"

    def settings(self, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Give it a LOCATION that nobody else has."""
        return {**conf, **_ALL_KEPT, "LOCATION": self.short}


class Files(Place):
    """A directory of its own, or a file: what the backend makes of a path."""

    classes = (
        "django.core.cache.backends.filebased.FileBasedCache",
        "diskcache.djangocache.DjangoCache",
        "django_sqlite_file_cache.SQLiteFileCache",
    )
    is_own = True
    text = "in a directory of its own"

    def settings(self, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Give it a LOCATION that nobody else has."""
        return {**conf, **_ALL_KEPT, "LOCATION": str(self._path)}

    @property
    def _path(self) -> Path:
        return Path(self.folder) / self.short

    def left(self, cache: Any) -> list[str]:  # noqa: ARG002
        """Return the files that are there."""
        found = sorted(self._path.rglob("*.djcache"))
        return [path.name for path in found]


class Table(Place):
    """A table of its own: in a database of its own if that is a file."""

    classes = ("django.core.cache.backends.db.DatabaseCache",)
    is_own = True
    text = "in a table of its own"

    @property
    def name(self) -> str:
        """What the table is called."""
        return f"cache_probe_{self.short}"

    def settings(self, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Give it a LOCATION that nobody else has."""
        return {**conf, **_ALL_KEPT, "LOCATION": self.name}

    def database(self, cache: Any) -> str:
        """Return where Django's routers send it."""
        model = getattr(cache, "cache_model_class", None)
        return str(router.db_for_write(model)) if model else DEFAULT_DB_ALIAS

    def enter(self) -> None:
        """Exchange each SQLite for a file that is removed with the folder."""
        for number, alias in enumerate(connections):
            connection = connections[alias]
            if connection.vendor == "sqlite":
                connection.close()
                path = Path(self.folder) / f"{number}.sqlite3"
                connection.settings_dict |= {
                    "NAME": str(path),
                    # Threads wait for each other, and nothing waits for the disk.
                    "OPTIONS": {
                        **connection.settings_dict["OPTIONS"],
                        "timeout": 60,
                        "transaction_mode": "IMMEDIATE",
                        "init_command": "PRAGMA synchronous=OFF",
                    },
                }

    def is_for_one(self, cache: Any) -> bool:
        """Return whether it is a SQLite, which says that it is locked."""
        return bool(connections[self.database(cache)].vendor == "sqlite")

    def make(self, cache: Any) -> None:
        """Create the table."""
        call_command(
            "createcachetable", self.name, database=self.database(cache), verbosity=0
        )

    def left(self, cache: Any) -> list[str]:
        """Return the keys of its rows."""
        connection = connections[self.database(cache)]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT cache_key FROM {self._quoted(connection)}")  # noqa: S608
            return sorted(str(row[0]) for row in cursor.fetchall())

    def remove(self, cache: Any) -> None:
        """Drop the table."""
        connection = connections[self.database(cache)]
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {self._quoted(connection)}")

    def _quoted(self, connection: Any) -> str:
        return str(connection.ops.quote_name(self.name))


class TemplateTable(Table):
    """A table whose definition the backend's class brings along."""

    classes = ("django_mysql.cache.MySQLCache",)

    def make(self, cache: Any) -> None:
        """Create the table."""
        sql = type(cache).create_table_sql.format(table_name=self.name)
        connection = connections[self.database(cache)]
        with connection.cursor() as cursor:
            cursor.execute(sql)


class Server(Place):
    """The user's own server: random names, and nothing that reaches others."""


_SHORT = 12
_KINDS: tuple[type[Place], ...] = (Memory, Files, TemplateTable, Table)


def place_for(
    conf: Mapping[str, Any], backend: type, token: str, folder: str, alias: str
) -> Place:
    """Return where an alias with such settings is probed."""
    names = [f"{each.__module__}.{each.__qualname__}" for each in backend.__mro__]
    for kind in _KINDS:
        if any(name in names for name in kind.classes):
            return kind(token, folder, alias)
    is_known = not isinstance(dialect_of(backend), GenericDialect)
    if not is_known and _is_path(conf.get("LOCATION")):
        return Files(token, folder, alias)
    return Server(token, folder, alias)


def _is_path(location: object) -> bool:
    """Return whether a LOCATION is a file or a directory, or is to be one."""
    if not isinstance(location, (str, Path)):
        return False
    path = Path(location)
    return path.is_absolute() and not path.is_socket()


def new_folder() -> str:
    """Make a folder for one alias, that only this user may enter."""
    return tempfile.mkdtemp(prefix="cache-probe-")


def remove_folder(folder: str) -> None:
    """Remove it with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
