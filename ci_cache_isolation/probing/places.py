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

__all__ = ["Place", "new_folder", "place_for", "remove_folder"]


class Place:
    """Where an alias's entries are while it is probed: on the user's own server.

    ``is_own`` says that nobody else's entries can be there.
    """

    classes: ClassVar[tuple[str, ...]] = ()
    """Backends whose caches are probed there, and what derives from them."""
    is_own: ClassVar[bool] = False
    text: ClassVar[str] = "under random names where its settings say"

    def __init__(self, token: str, folder: str) -> None:
        self.token = token
        self.folder = folder

    def settings(self, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Return an alias's settings, with the place in them."""
        return {**conf}

    def database(self, cache: Any) -> str | None:  # noqa: ARG002
        """Return the alias of the database that a cache is in, None if in none."""
        return None

    def enter(self, backend: type) -> None:
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
        return {**conf, "LOCATION": self.token}


class Files(Place):
    """A directory of its own."""

    classes = (
        "django.core.cache.backends.filebased.FileBasedCache",
        "diskcache.djangocache.DjangoCache",
    )
    is_own = True
    text = "in a directory of its own"

    def settings(self, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Give it a LOCATION that nobody else has."""
        return {**conf, "LOCATION": str(Path(self.folder) / "files")}

    def left(self, cache: Any) -> list[str]:  # noqa: ARG002
        """Return the files that are there."""
        found = sorted((Path(self.folder) / "files").rglob("*.djcache"))
        return [path.name for path in found]


class Table(Place):
    """A table of its own: in a database of its own if that is a file."""

    classes = ("django.core.cache.backends.db.DatabaseCache",)
    is_own = True
    text = "in a table of its own"

    @property
    def name(self) -> str:
        """What the table is called."""
        return f"cache_probe_{self.token}"

    def settings(self, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Give it a LOCATION that nobody else has."""
        return {**conf, "LOCATION": self.name}

    def database(self, cache: Any) -> str:
        """Return where Django's routers send it."""
        model = getattr(cache, "cache_model_class", None)
        return str(router.db_for_write(model)) if model else DEFAULT_DB_ALIAS

    def enter(self, backend: type) -> None:  # noqa: ARG002
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


_KINDS: tuple[type[Place], ...] = (Memory, Files, TemplateTable, Table)


def place_for(backend: type, token: str, folder: str) -> Place:
    """Return where caches of a class are probed."""
    names = [f"{each.__module__}.{each.__qualname__}" for each in backend.__mro__]
    for kind in _KINDS:
        if any(name in names for name in kind.classes):
            return kind(token, folder)
    return Server(token, folder)


def new_folder() -> str:
    """Make a folder for one alias, that only this user may enter."""
    return tempfile.mkdtemp(prefix="cache-probe-")


def remove_folder(folder: str) -> None:
    """Remove it with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
