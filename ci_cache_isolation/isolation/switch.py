"""The one switch of this process: the stack of scopes, and whether it is in use."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.utils.module_loading import import_string

from ci_cache_isolation.isolation import hook, notices, unittest_hook
from ci_cache_isolation.isolation.options import Enabled, enabled
from ci_cache_isolation.isolation.process import in_base, process_token
from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores import KINDS, Store, kind_of

__all__ = [
    "STACK",
    "Said",
    "current_section",
    "install",
    "is_installed",
    "said",
    "say_again",
    "uninstall",
]


class Said(NamedTuple):
    """What doors have said about the switch, and where it stood."""

    told: dict[str, Any]
    is_installed: bool


STACK = ScopeStack([kind() for kind in KINDS])
_BY_KIND: dict[type[Store], Store] = {type(store): store for store in STACK.stores}
_installed = False
_told: dict[str, Any] = {}
_NOT_ISOLATED = (
    "Cache {alias!r} is not isolated: there is no store for its backend {backend}. "
    "Tests and processes meet each other's entries in it. "
    "Use LocMemCache for it in your test settings, or make its tests clean up."
)


def install(*, command_line: bool | None = None, ini: str | None = None) -> Enabled:
    """Switch isolation on in this process, for any test runner; again is harmless.

    From now on every unittest suite that runs here opens and closes scopes. Where
    ``CI_CACHE_ISOLATION`` or another option says off, nothing is switched on. The
    return value says which, and who said so. `OptionError` where an option is neither.
    What a door was told holds for the whole process, whoever asks after it.
    """
    global _installed  # noqa: PLW0603 - one process, one switch
    if command_line is not None or ini:
        _told.update(command_line=command_line, ini=ini)
    state = enabled(**_told)
    if state.value and not _installed:
        hook.watch(_adopt)
        for cache in hook.live_caches():
            _adopt(None, cache)
        for alias, cache in hook.open_caches():
            _adopt(alias, cache)
        unittest_hook.attach(STACK, _is_enabled)
        _installed = True
    elif not state.value and _installed:
        _switch_off()
    return state


def uninstall() -> None:
    """Switch isolation off, whatever was said: plain Django is back."""
    _told.clear()
    STACK.move_to(())
    _switch_off()


def said() -> Said:
    """Return what the doors have said so far, for `say_again`."""
    return Said(dict(_told), _installed)


def say_again(said: Said) -> None:
    """Forget what was said since: for a run inside a run, when it is over."""
    _told.clear()
    _told.update(said.told)
    if said.is_installed:
        install()
    elif _installed:
        _switch_off()


def is_installed() -> bool:
    """Tell whether isolation is switched on in this process."""
    return _installed


def current_section(alias: str = DEFAULT_CACHE_ALIAS) -> str | None:
    """Return the id of the section that an alias uses now, None if it has none.

    At most 12 characters of 0-9a-z, the same until the scope ends, in no other process,
    later ones sorting behind earlier ones: fit for a name of your own in a test. The
    alias is not opened. ``InvalidCacheBackendError`` for one that is not configured.
    """
    if alias not in caches.settings:
        raise caches.exception_class(f"The connection '{alias}' doesn't exist.")
    backend = caches.settings[alias]["BACKEND"]
    try:
        kind = kind_of(import_string(backend))
    except ImportError as error:
        text = f"Could not find backend '{backend}': {error}"
        raise caches.exception_class(text) from error
    if not _installed or not STACK.number or kind is None or not kind.has_sections:
        return None
    return process_token() + in_base(STACK.number, 6)


def _is_enabled() -> bool:
    """Decide once more when a suite begins: settings are there to be asked by now."""
    return install().value


def _switch_off() -> None:
    global _installed  # noqa: PLW0603
    unittest_hook.detach()
    hook.unwatch()
    _installed = False


def _adopt(alias: str | None, cache: object) -> None:
    kind = kind_of(type(cache))
    is_adopted = kind is not None and _BY_KIND[kind].adopt(cache)
    if not is_adopted and alias is not None:
        backend = f"{type(cache).__module__}.{type(cache).__qualname__}"
        notices.note(_NOT_ISOLATED.format(alias=alias, backend=backend))
