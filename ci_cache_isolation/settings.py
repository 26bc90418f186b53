"""The entry point for settings modules: ``CACHES = isolate(CACHES)``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

from ci_cache_isolation.errors import REFUSED, OptionError
from ci_cache_isolation.isolation.options import IsolateArguments
from ci_cache_isolation.isolation.switch import ask, install

__all__ = ["isolate"]

Caches = TypeVar("Caches", bound=Mapping[str, Any])


def isolate(  # noqa: PLR0913
    caches: Caches,
    /,
    *,
    stores: Mapping[str, str] | None = None,
    scope: Literal["test", "class", "process"] | None = None,
    reset_memoised: bool | None = None,
    state: Iterable[str] | None = None,
    known: Iterable[str] | bool | None = None,
) -> Caches:
    """Switch isolation on for a test settings module; return CACHES unchanged.

    ``stores`` says for an alias how its sections are made, where that is not to be
    chosen from its backend: "none" leaves it shared, "private-server" starts a server
    for each process. ``scope`` names the narrowest scope with sections of its own.
    ``reset_memoised`` has the project's memoised functions forget when a test ends.
    ``state`` names what else is put back when a test ends: "shop.pricing._rates",
    "shop.cards.Card.limit", "os.environ['REGION']", "settings". ``known`` names caches
    that packages keep in a process and that start anew with each test, "on" all:
    "content-types", "sites", "translations".

    Every process that imports the settings is reached, spawned workers too. Nothing is
    isolated before a test suite runs. `TypeError` for what can't be CACHES; an option
    that means nothing ends the process with a message.
    """
    if not isinstance(caches, Mapping):
        raise TypeError(
            f"isolate() was given {caches!r}, which is not a dictionary of caches. "
            "Write CACHES = isolate(CACHES), below the definition of CACHES."
        )
    try:
        for alias in stores or ():
            if alias not in caches:
                raise OptionError(  # noqa: TRY301
                    f"isolate(stores=...) names alias {alias!r}, which is not in "
                    "CACHES: nothing would be done with what it says. "
                    f"CACHES holds: {', '.join(map(repr, caches))}."
                )
        places: object = state
        if isinstance(state, Iterable) and not isinstance(state, str):
            # It may be one that can be gone through only once.
            places = list(state)
        packages: object = known
        if isinstance(known, Iterable) and not isinstance(known, str):
            packages = list(known)
        ask(IsolateArguments(scope, stores, reset_memoised, places, packages))
        install()
    except OptionError as error:
        raise SystemExit(f"{REFUSED}{error}") from None
    return caches
