"""What backends do each in its own way, as far as sections need to know it."""

from __future__ import annotations

import functools
import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.cache import BaseCache

from ci_cache_isolation.isolation.clocks import Expiries
from ci_cache_isolation.isolation.dialects.methods import calls_down, flushes
from ci_cache_isolation.isolation.journal import About
from ci_cache_isolation.isolation.keys import (
    KEY_FUNCTION,
    KeyFunction,
    maker_of,
    making_own_keys,
    stands,
)
from ci_cache_isolation.isolation.process import section_id
from ci_cache_isolation.isolation.redaction import redacted

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.patches import Patches

__all__ = ["COUNTING", "Dialect"]

BATCH = 1000
"""How many keys are deleted at once."""
_ROOTS = (object, BaseCache)
# What each library calls its errors of the connection; none is an ``OSError``.
_OF_THE_WAY = {"ConnectionError", "TimeoutError", "OperationalError", "InterfaceError"}
COUNTING = tuple(
    prefix + name
    for name in ("incr", "decr", "incr_version", "decr_version")
    for prefix in ("", "a")
)
"""What can't be done without an entry, and says under which key there is none."""


class Dialect(ABC):
    """How one family of backends is isolated. A new family is a new module here.

    ``packages`` are those whose methods are wrapped: what users derive from them calls
    down into these. ``cleared`` is what the family's ``clear()`` returns.
    ``key_limit`` counts characters, or bytes. ``server_kind`` is that of a private
    server that can stand in for theirs, empty for none; ``client_maker`` is what an
    object has that makes its client.
    """

    packages: ClassVar[tuple[str, ...]] = ()
    key_limit: ClassVar[int | None] = None
    counts_bytes: ClassVar[bool] = False
    cleared: ClassVar[object] = None
    server_kind: ClassVar[str] = ""
    client_maker: ClassVar[str] = "_class"

    @staticmethod
    @abstractmethod
    def speaks(cache_class: type) -> bool:
        """Return whether caches of this class are of this family."""

    @abstractmethod
    def server(self, cache: Any) -> Hashable:
        """Return what two caches that share their entries have in common."""

    @abstractmethod
    def copy(self, cache: Any, source: str, target: str, expiries: Expiries) -> None:
        """Store under one full key what is stored under another, until it expires.

        An entry that the target already has stays.
        """

    @abstractmethod
    def state(self, cache: Any, full: str, expiries: Expiries) -> object:
        """Return what is stored under a full key, as something that can be compared."""

    @abstractmethod
    def delete(self, cache: Any, names: list[str]) -> None:
        """Delete full keys. Those that are not there are no error."""

    def delete_all(self, cache: Any, names: list[str]) -> dict[str, Exception]:
        """Delete full keys, in batches; return those that the client refuses, and why.

        Nothing is stored under these either. What a server or the way to it says is
        raised: then all of them are still there.
        """
        refused: dict[str, Exception] = {}
        for start in range(0, len(names), BATCH):
            self._delete_batch(cache, names[start : start + BATCH], refused)
        return refused

    def _delete_batch(
        self, cache: Any, names: list[str], refused: dict[str, Exception]
    ) -> None:
        try:
            self.delete(cache, names)
        except Exception as error:
            if _is_of_the_way(error):
                raise
            # If a key of ours fails as well, it is not the keys that are refused.
            self.delete(cache, [section_id(0)])
            if len(names) == 1:
                refused[names[0]] = error
                return
            middle = len(names) // 2
            for half in (names[:middle], names[middle:]):
                self._delete_batch(cache, half, refused)

    def opened(self, alias: str, cache: Any) -> None:
        """Take note of a cache that is about to be used."""

    def patch_opened(self, patches: Patches, cache: Any) -> None:
        """Wrap what only a cache that is open leads to."""

    @staticmethod
    def client_module(cache_class: type) -> str:  # noqa: ARG004
        """Return the module that caches import when they are first used, '' if none."""
        return ""

    def redirect(self, cache: Any, url: Callable[[object], str]) -> None:  # noqa: ARG002
        """Lead a cache to another server, before it connects anywhere else.

        ``url`` returns its URL for the number of a database.
        """
        raise TypeError(
            f"{type(self).__name__} has a server_kind, so it needs a redirect() too"
        )

    def client_of(self, cache: Any) -> Any:
        """Return a cache's client, made if need be."""
        return cache._cache  # noqa: SLF001

    def forget_client(self, cache: Any) -> None:
        """Have a cache make its client anew when it is next used."""
        vars(cache).pop("_cache", None)

    def location(self, cache: Any) -> str:
        """Return where the entries are, for messages and for `About`."""
        server = self.server(cache)
        return redacted(server)

    def may_ask(self, cache: Any) -> bool:  # noqa: ARG002
        """Return whether the running test may ask the server at all."""
        return True

    def is_in_transaction(self, cache: Any) -> bool:  # noqa: ARG002
        """Return whether what is done now can still be undone by the server."""
        return False

    def on_rollback(self, cache: Any, undo: Callable[[], None]) -> None:
        """Have something called if the server undoes what is done now."""

    def is_gone(self, cache: Any, about: About) -> bool:  # noqa: ARG002
        """Return whether what a cache stored things in is no longer there."""
        return False

    def connect(self, cache: Any) -> None:
        """Make sure that there is a connection, where that is not done by itself."""

    def is_lasting(self, cache: Any) -> bool:  # noqa: ARG002
        """Return whether entries outlive this process."""
        return True

    def about(self, alias: str, cache: Any) -> About:
        """Return what is recorded about a space."""
        server = f"{type(self).__name__}:{self.server(cache)!r}"
        return About(
            fingerprint=hashlib.blake2b(server.encode(), digest_size=10).hexdigest(),
            alias=alias,
            kind=f"{type(cache).__module__}.{type(cache).__qualname__}",
            location=self.location(cache),
        )

    def modules(self, cache: Any) -> frozenset[str]:
        """Return the modules whose functions are operations of the cache."""
        return frozenset(each.__module__ for each in type(cache).__mro__)

    def patch(self, patches: Patches, cache_class: type) -> None:
        """Wrap what has to know of sections."""
        root = self.root(cache_class)
        patches.put(
            root,
            KEY_FUNCTION,
            KeyFunction(inspect.getattr_static(root, KEY_FUNCTION, None)),
        )
        # Whoever overrides it must see the user's key as well.
        overriding = [each for each in cache_class.__mro__ if each not in _ROOTS]
        for owner in [root, *overriding]:
            if owner is root or "validate_key" in vars(owner):
                patches.wrap(owner, "validate_key", _validating)
            own = vars(owner).get(KEY_FUNCTION)
            if inspect.isfunction(own) or isinstance(own, staticmethod):
                patches.put(owner, KEY_FUNCTION, KeyFunction(own))
            if "make_key" in vars(owner) and not self.is_of_family(owner):
                patches.wrap(owner, "make_key", making_own_keys)
        self._patch_clear(patches, cache_class)
        for name in COUNTING:
            for owner in self.owners(cache_class, name):
                if callable(vars(owner).get(name)):
                    patches.wrap(owner, name, self.naming)

    def _patch_clear(self, patches: Patches, cache_class: type) -> None:
        for owner in self.owners(cache_class, "clear"):
            patches.wrap(owner, "clear", self.clearing)
        for owner in self.owners(cache_class, "aclear"):
            # Django's own calls clear(). Families wrap what theirs call.
            if "aclear" in vars(owner) and not self.is_of_family(owner):
                patches.wrap(owner, "aclear", self.clearing)

    def root(self, cache_class: type) -> type:
        """Return the class of the family that all its caches derive from."""
        ours = [each for each in cache_class.__mro__ if each not in _ROOTS]
        in_family = [each for each in ours if self.is_of_family(each)]
        made = [each for each in in_family or ours if issubclass(each, BaseCache)]
        return (made or in_family or ours)[-1]

    def owners(self, cache_class: type, name: str) -> list[type]:
        """Return the classes of the family on which a method is to be wrapped.

        Not on ``BaseCache``: that is the root of other families too.
        """
        defining = [
            each
            for each in cache_class.__mro__
            if name in vars(each) and each not in _ROOTS
        ]
        in_family = [each for each in defining if self.is_of_family(each)]
        # What overrides it calls down into it, or does all by itself.
        alone = [each for each in defining if not calls_down(each, name)]
        if in_family:
            flushing = [each for each in alone if flushes(each, name)]
            return in_family + [each for each in flushing if each not in in_family]
        return alone[:1] or defining[-1:] or [self.root(cache_class)]

    def is_of_family(self, cache_class: type) -> bool:
        """Return whether a class comes with the family, and not from its users."""
        return cache_class.__module__.split(".")[0] in self.packages

    def clearing(self, clear: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``clear``: an empty section begins, and nobody else is reached."""
        if inspect.iscoroutinefunction(clear):

            @functools.wraps(clear)
            async def clear_section(cache: Any, *args: Any, **kwargs: Any) -> Any:
                if self.renew(cache):
                    return self.cleared
                return await clear(cache, *args, **kwargs)

        else:

            @functools.wraps(clear)
            def clear_section(cache: Any, *args: Any, **kwargs: Any) -> Any:
                if self.renew(cache):
                    return self.cleared
                return clear(cache, *args, **kwargs)

        return clear_section

    def renew(self, cache: Any) -> bool:
        """Begin an empty section; False where plain keys are in use."""
        maker = maker_of(self.cache_of(cache))
        if maker is None:
            return False
        section = maker.space.current()
        if section is not None and section.is_joined:
            maker.space.clear_joined(section, self.cache_of(cache))
            return True
        return maker.space.clear(self.cache_of(cache))

    def naming(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap what names a key in its errors: it is to be the user's own."""
        if inspect.iscoroutinefunction(operation):

            @functools.wraps(operation)
            async def name_own_key(holder: Any, *args: Any, **kwargs: Any) -> Any:
                try:
                    return await operation(holder, *args, **kwargs)
                except Exception as error:
                    self._name_own_key(holder, error)
                    raise

        else:

            @functools.wraps(operation)
            def name_own_key(holder: Any, *args: Any, **kwargs: Any) -> Any:
                try:
                    return operation(holder, *args, **kwargs)
                except Exception as error:
                    self._name_own_key(holder, error)
                    raise

        return name_own_key

    def _name_own_key(self, holder: Any, error: Exception) -> None:
        maker = maker_of(self.cache_of(holder))
        if maker is not None:
            error.args = tuple(
                maker.space.own_text(each) if isinstance(each, str) else each
                for each in error.args
            )

    def seeing_all(self, search: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a search: what enclosing scopes stored is brought over before."""

        def bring_over(holder: Any) -> None:
            cache = self.cache_of(holder)
            maker = maker_of(cache)
            if maker is not None:
                maker.space.copy_all(cache)

        if inspect.iscoroutinefunction(search):

            @functools.wraps(search)
            async def see_all(holder: Any, *args: Any, **kwargs: Any) -> Any:
                bring_over(holder)
                return await search(holder, *args, **kwargs)

        else:

            @functools.wraps(search)
            def see_all(holder: Any, *args: Any, **kwargs: Any) -> Any:
                bring_over(holder)
                return search(holder, *args, **kwargs)

        return see_all

    def cache_of(self, holder: Any) -> Any:
        """Return the cache behind the object whose method was called."""
        return holder

    def wrap_all(
        self,
        patches: Patches,
        owners: Iterable[type],
        names: Iterable[str],
        wrapping: Callable[[Any], Any],
    ) -> None:
        """Wrap methods wherever the family defines them."""
        names = frozenset(names)
        for owner in owners:
            if self.is_of_family(owner):
                for name in names & vars(owner).keys():
                    patches.wrap(owner, name, wrapping)


def _is_of_the_way(error: Exception) -> bool:
    """Return whether it says that a server was not reached, whatever the keys."""
    kinds = {each.__name__ for each in type(error).__mro__}
    return isinstance(error, OSError) or bool(kinds & _OF_THE_WAY)


def _validating(validate_key: Callable[..., Any]) -> Callable[..., Any]:
    """Let checks, warnings and errors speak of the user's key."""

    @functools.wraps(validate_key)
    def validate_own_key(cache: Any, key: Any) -> Any:
        if stands(key):
            return None
        maker = maker_of(cache)
        if maker is not None and isinstance(key, str):
            key = maker.space.own_key(key)
        return validate_key(cache, key)

    return validate_own_key
