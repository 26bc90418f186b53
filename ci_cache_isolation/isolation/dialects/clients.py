"""What django-redis and django-valkey have in common: a client behind the backend.

The backend passes everything on to a client object, which makes the keys by the
backend's ``key_func``, and which code may use directly. So it is the client's class
that is wrapped.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, ClassVar

from ci_cache_isolation.isolation.clocks import Expiries
from ci_cache_isolation.isolation.dialects.base import COUNTING, Dialect
from ci_cache_isolation.isolation.dialects.redis import (
    OF_THE_ADDRESS,
    address,
    copy_between,
    copy_on_server,
    database,
    state_on_server,
)
from ci_cache_isolation.isolation.keys import maker_of
from ci_cache_isolation.isolation.redaction import redacted

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.patches import Patches

__all__ = ["ClientDialect"]

_REVERSE = "reverse_key"
_PATTERNS = ("keys", "iter_keys", "delete_pattern")


class ClientDialect(Dialect):
    """Backends whose ``client`` does the work."""

    backend_class: ClassVar[str]
    client_maker = "_client_cls"

    @classmethod
    def is_backend(cls, cache_class: type) -> bool:
        """Return whether the family's backend is among a class's base classes."""
        names = [f"{each.__module__}.{each.__name__}" for each in cache_class.__mro__]
        return cls.backend_class in names

    def server(self, cache: Any) -> Hashable:
        """Return where its databases are, however that is written."""
        options = cache._params.get("OPTIONS", {})  # noqa: SLF001
        number = options.get("CONNECTION_POOL_KWARGS", {}).get("db")
        return tuple(address(url, number) for url in self._urls(cache))

    def location(self, cache: Any) -> str:
        """Return its URLs."""
        return redacted(self._urls(cache))

    def _urls(self, cache: Any) -> list[str]:
        server = cache._server  # noqa: SLF001
        return [*map(str, server.split(",") if isinstance(server, str) else server)]

    def modules(self, cache: Any) -> frozenset[str]:
        """Return the client's modules too: it is the client that makes the keys."""
        client_class = cache._client_cls  # noqa: SLF001
        names = frozenset(each.__module__ for each in client_class.__mro__)
        return super().modules(cache) | names

    def patch_opened(self, patches: Patches, cache: Any) -> None:
        """Wrap the class of its client."""
        self.patch_client(patches, cache._client_cls)  # noqa: SLF001

    def patch_client(self, patches: Patches, client_class: type) -> None:
        """Wrap a client's class."""
        owners = client_class.__mro__
        self.wrap_all(patches, owners, ("clear", "aclear"), self.clearing)
        self.wrap_all(patches, owners, _PATTERNS, self.seeing_all)
        self.wrap_all(patches, owners, COUNTING, self.naming)
        root = [each for each in owners if self.is_of_family(each)][-1]
        patches.put(root, _REVERSE, _ReverseKey())

    def redirect(self, cache: Any, url: Callable[[object], str]) -> None:
        """Exchange its URLs, keeping the numbers of its databases."""
        options = dict(cache._params.get("OPTIONS", {}))  # noqa: SLF001
        pool = dict(options.get("CONNECTION_POOL_KWARGS", {}))
        number = pool.pop("db", None)
        for given in (options, pool):
            for name in [each for each in given if OF_THE_ADDRESS.fullmatch(each)]:
                del given[name]
        if pool or "CONNECTION_POOL_KWARGS" in options:
            options["CONNECTION_POOL_KWARGS"] = pool
        ours = [
            url(database(each) if number is None else number)
            for each in self._urls(cache)
        ]
        cache._params = {**cache._params, "OPTIONS": options}  # noqa: SLF001
        cache._server = ours if len(ours) > 1 else ours[0]  # noqa: SLF001
        self.forget_client(cache)

    def client_of(self, cache: Any) -> Any:
        """Return a cache's client, made if need be."""
        return cache.client

    def forget_client(self, cache: Any) -> None:
        """Have a cache make its client anew when it is next used."""
        cache._client = None  # noqa: SLF001

    def cache_of(self, holder: Any) -> Any:
        """Return the backend behind a client."""
        return vars(holder).get("_backend", holder)

    def copy(self, cache: Any, source: str, target: str, expiries: Expiries) -> None:  # noqa: ARG002
        """Have the server copy it, or carry it from one shard to another."""
        giver = self.raw_client(cache, source)
        taker = self.raw_client(cache, target)
        if giver is taker:
            copy_on_server(taker, source, target)
        else:
            copy_between(giver, source, taker, target)

    def state(self, cache: Any, full: str, expiries: Expiries) -> object:  # noqa: ARG002
        """Return the value and its end."""
        return state_on_server(self.raw_client(cache, full), full)

    def delete(self, cache: Any, names: list[str]) -> None:
        """Have each server drop what it holds, in one command."""
        by_client: dict[int, tuple[Any, list[str]]] = {}
        for name in names:
            client = self.raw_client(cache, name)
            by_client.setdefault(id(client), (client, []))[1].append(name)
        for client, held in by_client.values():
            client.unlink(*held)

    def raw_client(self, cache: Any, name: str) -> Any:
        """Return the client of the library for the server that holds a key."""
        client = cache.client
        if hasattr(client, "get_server"):
            return client.get_server(name)
        return client.get_client(write=True)


class _ReverseKey:
    """The attribute ``reverse_key`` of clients: it gets keys without a section's id."""

    def __get__(self, client: Any, owner: type | None = None) -> Any:
        if client is None:
            return self
        state = vars(client)
        if _REVERSE not in state:
            raise AttributeError(_REVERSE)
        function = state[_REVERSE]
        maker = maker_of(state.get("_backend"))
        if maker is None:
            return function

        @functools.wraps(function)
        def reverse_key(key: Any) -> Any:
            return function(maker.space.own_key(key) if type(key) is str else key)

        return reverse_key

    def __set__(self, client: Any, function: Any) -> None:
        vars(client)[_REVERSE] = function
