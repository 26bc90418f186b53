"""State that options register by name: it gets sections as caches do.

Modules that only this takes are loaded where there is any: every run comes by here.
"""

from __future__ import annotations

from collections.abc import Sequence

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.isolation.options import Choice
from ci_cache_isolation.isolation.stack import ScopeStack

__all__ = ["register_state"]

_WRONG = (
    "{source} names {name}, and {error}. "
    "What is kept there would not be put back after each test. "
    "Correct the name, or leave it out."
)


def register_state(named: Sequence[Choice], stack: ScopeStack) -> None:
    """Have a stack put back what is named; `OptionError` for what can't be right."""
    known = [each for each in stack.stores if each.registered is not None]
    names = [each.value for each in named]
    if names == [name for each in known for name in each.registered or ()]:
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
    for store in known:
        stack.let_go(store)
    if places:
        stack.take_in(RegisteredStore(places))
