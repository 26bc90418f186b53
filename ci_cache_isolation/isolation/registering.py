"""State that options register by name, and what packages keep: put back or cleared.

Modules that only this takes are loaded where there is any: every run comes by here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.isolation.options import Choice, IsolationOptions
from ci_cache_isolation.isolation.stack import ScopeStack

__all__ = ["forgetting", "register_state"]

_WRONG = (
    "{source} names {name}, and {error}. "
    "What is kept there would not be put back after each test. "
    "Correct the name, or leave it out."
)


def register_state(options: IsolationOptions, stack: ScopeStack) -> None:
    """Have a stack put back what is named; `OptionError` for what can't be right."""
    named = _named(options)
    stores = [each for each in stack.stores if each.registered is not None]
    names = [each.value for each in named]
    if names == [name for each in stores for name in each.registered or ()]:
        return
    from ci_cache_isolation.isolation.stores.registered import (  # noqa: PLC0415
        RegisteredStore,
    )
    from ci_cache_isolation.state.places import Place, WrongPlaceError  # noqa: PLC0415

    places = []
    for each in named:
        try:
            places.append(Place(each.value))
        except WrongPlaceError as error:
            text = _WRONG.format(source=each.source, name=each.value, error=error)
            raise OptionError(text) from None
    for store in stores:
        stack.let_go(store)
    if places:
        stack.take_in(RegisteredStore(places))


def forgetting(options: IsolationOptions) -> Callable[[], None] | None:
    """Return what has functions and packages forget when a test ends, if any are to."""
    if not options.known and not options.reset_memoised.value:
        return None
    from ci_cache_isolation.isolation import known  # noqa: PLC0415

    names = [each.value for each in known.chosen(options.known)]
    if options.reset_memoised.value:
        names.append(known.OF_FUNCTIONS)
    return known.forgetting([*dict.fromkeys(names)])


def _named(options: IsolationOptions) -> Sequence[Choice]:
    """Return what is put back after each test; what packages keep is filled first."""
    if not options.known:
        return options.state
    from ci_cache_isolation.isolation import known  # noqa: PLC0415

    packages = known.chosen(options.known)
    for each in packages:
        known.fill(each.value)
    return [*options.state, *known.places(packages)]
