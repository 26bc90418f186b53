"""All that is wrapped, replaced or relied on in Django, pytest and clients, by name.

Many of these names are private: another version may call them otherwise, and then what
is done by way of them would silently not be done. So they are looked for before tests
run, in what is loaded by then, and again when a backend is loaded later.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
import unittest
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

import django
from django.conf import settings
from django.core.cache import BaseCache
from django.utils.connection import BaseConnectionHandler

from ci_cache_isolation.errors import NotActiveError
from ci_cache_isolation.isolation import notices

__all__ = ["OPTIONAL", "REQUIRED", "check", "load_backends", "version_of"]

_COUNTING = ("incr", "decr")
_CLIENT = ("clear", "keys", "iter_keys", "delete_pattern")
_BEHIND_CLIENT = ("_server", "_params", "_client", "_client_cls")

REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "unittest.TestSuite": (
            *("run", "_tearDownPreviousClass", "_handleModuleFixture"),
            *("_handleModuleTearDown", "_handleClassSetUp"),
        ),
        "django.core.cache.CacheHandler": ("create_connection",),
        "django.core.cache.caches": ("_connections",),
        "django.core.cache.BaseCache": (
            *("key_func", "make_key", "validate_key", "clear"),
        ),
        "django.core.cache.backends.locmem": ("_caches", "_expire_info", "_locks"),
        "django.core.cache.backends.filebased.FileBasedCache": (
            *("_dir", "_createdir", "_key_to_file", "_list_cache_files", "_cull"),
            "clear",
        ),
        "django.core.cache.backends.db.DatabaseCache": ("_table", "_cull", "clear"),
        "django.core.cache.backends.redis.RedisCache": (
            *("_servers", "_options", "_class", "_cache", "clear"),
        ),
        "django.core.cache.backends.memcached.BaseMemcachedCache": (
            *("_servers", "_class", "_cache", "clear"),
            *("set", "add", "touch", "set_many"),
        ),
        "django.db.backends.base.base.BaseDatabaseWrapper": (
            *("connect", "ensure_connection", "create_cursor", "make_cursor"),
            *("savepoint", "savepoint_rollback", "rollback", "commit", "close"),
            "_commit",
        ),
        "django.db.backends.utils.CursorWrapper": (
            *("_execute", "_executemany", "callproc"),
        ),
        "django.db.backends.base.creation.BaseDatabaseCreation": ("create_test_db",),
        "django.test.runner.DiscoverRunner": ("test_suite", "parallel_test_suite"),
        "django.test.runner.ParallelTestSuite": (
            *("process_setup", "process_setup_args"),
        ),
        "django_redis.cache.RedisCache": _BEHIND_CLIENT,
        "django_redis.client.default.DefaultClient": (*_CLIENT, "reverse_key"),
        "django_redis.client.sharded.ShardClient": _CLIENT,
        "django_valkey.base.BaseValkeyCache": _BEHIND_CLIENT,
        "django_valkey.base_client.BaseClient": ("reverse_key",),
        "django_valkey.base_client.ClientCommands": _CLIENT,
        "django_valkey.base_client.AsyncClientCommands": _CLIENT,
        "django_mysql.cache.MySQLCache": ("cull", "clear"),
    }
)
"""Names without which nothing is isolated, by what they belong to."""

_ERRORS = "errors of counting name the key with the id of a section"
_AUDIT = "an audit does not see what tests make Django remember"

OPTIONAL: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (
            "pymemcache.client.rendezvous.RendezvousHash",
            "get_node",
        ): "pymemcache takes longer to choose the one server that there is",
        ("_pytest.tmpdir.TempPathFactory", "_given_basetemp"): (
            "tests in forks share their temporary directories"
        ),
        ("_pytest.terminal.TerminalReporter", "_tw"): (
            "forks write what pytest tells of their tests"
        ),
        **{
            (f"django_redis.client.{client}", name): _ERRORS
            for client in ("default.DefaultClient", "sharded.ShardClient")
            for name in _COUNTING
        },
        **{
            ("django_valkey.base_client.ClientCommands", name): _ERRORS
            for name in _COUNTING
        },
        **{
            ("django.contrib.contenttypes.models.ContentTypeManager", name): _AUDIT
            for name in (
                *("_get_from_cache", "_add_to_cache", "get_for_id"),
                *("get_by_natural_key", "clear_cache"),
            )
        },
        **{
            ("django.contrib.sites.models.SiteManager", name): _AUDIT
            for name in ("_get_site_by_id", "_get_site_by_request", "clear_cache")
        },
    }
)
"""What is lost without a name, by what it belongs to and the name."""

# What they have under a name stands for what their children have.
_STUBS = (BaseCache, BaseConnectionHandler, unittest.BaseTestSuite, object)
_MISSING = (
    "Cache isolation can't work: {names} not there in {versions}. It is done by way of "
    "that, so tests would silently share their caches. Use a version that has it, or "
    "say --no-cache-isolation or CI_CACHE_ISOLATION=off."
)
_LESS = "{name} is not there in {version}: {lost}."


def check() -> None:
    """Look for all names in what is loaded. `NotActiveError` says what is missing."""
    missing = [
        (owner, name)
        for owner, names in REQUIRED.items()
        for name in names
        if _lacks(owner, name)
    ]
    if missing:
        names = ", ".join(f"{owner}.{name}" for owner, name in missing)
        versions = ", ".join(dict.fromkeys(version_of(owner) for owner, _ in missing))
        is_one = len(missing) == 1
        raise NotActiveError(
            _MISSING.format(
                names=f"{names} {'is' if is_one else 'are'}", versions=versions
            )
        )
    for (owner, name), lost in OPTIONAL.items():
        if _lacks(owner, name):
            full = f"{owner}.{name}"
            notices.note(_LESS.format(name=full, version=version_of(owner), lost=lost))


def load_backends() -> None:
    """Import Django's own backends that settings name: they are looked into as well.

    Not while settings are being imported: Django would take them for complete. And not
    by way of ``caches.settings``: it is kept, whatever a conftest.py sets next.
    """
    if not settings.configured:
        return
    for configured in settings.CACHES.values():
        module = str(configured.get("BACKEND", "")).rpartition(".")[0]
        if module.startswith("django."):
            with suppress(ImportError):
                importlib.import_module(module)


def version_of(owner: str) -> str:
    """Return the name and version of what an object belongs to."""
    package = owner.partition(".")[0]
    if package == "django":
        return f"Django {django.get_version()}"
    if package in sys.stdlib_module_names:
        return f"Python {platform.python_version()}"
    names = importlib.metadata.packages_distributions().get(package, [])
    for name in names:
        return f"{name} {importlib.metadata.version(name)}"
    return f"this {package}"


def _lacks(owner: str, name: str) -> bool:
    """Return whether something that is loaded lacks a name."""
    found = _loaded(owner)
    if found is None:
        return False
    if not isinstance(found, type):
        return not hasattr(found, name)
    classes = [each for each in found.__mro__ if each is found or each not in _STUBS]
    # Or what a class gives to each of its objects.
    return name not in {*_given(found)}.union(*map(vars, classes))


def _loaded(owner: str) -> Any:
    if owner in sys.modules:
        return sys.modules[owner]
    module, _, name = owner.rpartition(".")
    return getattr(sys.modules.get(module), name, None)


def _given(owner: type) -> Iterator[str]:
    for each in owner.__mro__:
        code = getattr(vars(each).get("__init__"), "__code__", None)
        if code is not None:
            yield from code.co_names
