"""django-valkey, sync and async. Its backends are no ``BaseCache``."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.utils.module_loading import import_string

from ci_cache_isolation.isolation.dialects.clients import ClientDialect
from ci_cache_isolation.isolation.keys import KeyMaker, maker_of

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.patches import Patches

__all__ = ["DjangoValkeyDialect"]

_FIELDS = ("key", "keys", "items")


class DjangoValkeyDialect(ClientDialect):
    """``django_valkey.base.BaseValkeyCache`` and what derives from it."""

    packages = ("django_valkey",)
    backend_class = "django_valkey.base.BaseValkeyCache"
    server_kind = "valkey"
    cleared = True

    def __init__(self) -> None:
        self._synchronous: weakref.WeakKeyDictionary[Any, Any] = (
            weakref.WeakKeyDictionary()
        )

    @staticmethod
    def speaks(cache_class: type) -> bool:
        """Return whether it is django-valkey's."""
        return DjangoValkeyDialect.is_backend(cache_class)

    @staticmethod
    def client_module(cache_class: type) -> str:  # noqa: ARG004
        """Return the package of clients, which imports valkey."""
        return "django_valkey.client"

    def patch_client(self, patches: Patches, client_class: type) -> None:
        """Wrap the operations on hashes as well: they make keys of field names."""
        super().patch_client(patches, client_class)
        names = {
            name
            for owner in client_class.__mro__
            if self.is_of_family(owner)
            for name in vars(owner)
            if name.lstrip("a").startswith("h") and name not in {"has_key", "ahas_key"}
        }
        operations = [
            name
            for name in names
            if inspect.isfunction(inspect.unwrap(getattr(client_class, name)))
            and "name" in inspect.signature(getattr(client_class, name)).parameters
        ]
        self.wrap_all(patches, client_class.__mro__, operations, _plain_fields)

    def raw_client(self, cache: Any, name: str) -> Any:
        """Return a client that can be used without an event loop."""
        client = cache.client
        if not inspect.iscoroutinefunction(getattr(client, "get_client", None)):
            return super().raw_client(cache, name)
        if client not in self._synchronous:
            connection_factory = import_string("django_valkey.pool.ConnectionFactory")
            options = {
                key: value
                for key, value in client._options.items()  # noqa: SLF001
                if not key.endswith(("_CLASS", "_KWARGS"))
            }
            factory = connection_factory(options=options)
            server = client._server[0]  # noqa: SLF001
            # Not `connect`: pools are kept by URL, and there is the asynchronous one.
            pool = factory.get_connection_pool(factory.make_connection_params(server))
            self._synchronous[client] = factory.base_client_cls(connection_pool=pool)
        return self._synchronous[client]


def _plain_fields(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Give a hash its section by its name alone; its fields stay what they are.

    A hash that is brought over from an enclosing section then holds the same fields.
    """
    signature = inspect.signature(operation)

    @functools.wraps(operation)
    def on_fields(client: Any, *args: Any, **kwargs: Any) -> Any:
        maker = maker_of(vars(client)["_backend"])
        if maker is None or maker.space.current() is None:
            return operation(client, *args, **kwargs)
        try:
            given = signature.bind(client, *args, **kwargs)
        except TypeError:
            # The operation itself says so, in its own words.
            return operation(client, *args, **kwargs)
        version = given.arguments.get("version")
        for name in _FIELDS:
            if given.arguments.get(name):
                fields = given.arguments[name]
                given.arguments[name] = _plain(client, maker, name, fields, version)
        if not _makes_name(operation):
            # Not a key of the cache: one of that name is something else.
            name = given.arguments["name"]
            own = name.decode() if isinstance(name, bytes) else str(name)
            given.arguments["name"] = maker.placed(own)
        return operation(*given.args, **given.kwargs)

    return on_fields


def _plain(client: Any, maker: KeyMaker, name: str, fields: Any, version: Any) -> Any:
    make_key = import_string("django_valkey.util.make_key")
    backend = client._backend  # noqa: SLF001

    def plain(field: Any) -> Any:
        return make_key(
            field,
            key_func=maker.function,
            version=version or backend.version,
            prefix=backend.key_prefix,
        )

    if name == "key":
        return plain(fields)
    if name == "keys":
        return [plain(field) for field in fields]
    return [(plain(field), value) for field, value in fields]


def _makes_name(operation: Any) -> bool:
    """Return whether an operation makes a key of the hash's name by itself."""
    return "nname" in inspect.unwrap(operation).__code__.co_varnames
