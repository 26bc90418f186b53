"""Options, resolved in one place: the first source that says something wins.

Command line > environment > ini or pyproject > ``settings.CACHE_ISOLATION`` > default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from django.conf import settings
from django.core.cache import caches
from django.utils.module_loading import import_string

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.isolation.environment import (
    ENABLED_VARIABLE,
    Enabled,
    enabled_by_environment,
    from_word,
)
from ci_cache_isolation.isolation.records import Record
from ci_cache_isolation.isolation.scopes import Granularity
from ci_cache_isolation.isolation.stores import STORES, possible_names
from ci_cache_isolation.state.splitting import split

__all__ = [
    "INI",
    "Choice",
    "EntryPointInputs",
    "IsolateArguments",
    "IsolationOptions",
    "check_store",
    "check_stores",
    "choices",
    "enabled",
    "sources_of",
]

INI = "cache_isolation_"
_NAMES = (
    *("enabled", "known", "reset_memoised", "scope", "server", "state", "stores"),
)
_SETTING = "CACHE_ISOLATION"
_VARIABLES = (
    ENABLED_VARIABLE,
    *(f"{ENABLED_VARIABLE}_{name.upper()}" for name in _NAMES if name != "enabled"),
)
_NO_GUESS_OF_RESETS = "Whether functions forget must not be guessed"
_NOT_FOR_IT = (
    "{source} asks for the store {name!r} for alias {alias!r}, whose backend {backend} "
    "can't be isolated in that way. Its tests would meet each other's entries. "
    "Leave it out, or write {possible}."
)
_UNKNOWN_ALIAS = (
    "{source} names alias {alias!r}, which is not in CACHES: "
    "nothing would be done with what it says. CACHES holds: {aliases}."
)


def enabled(*, command_line: bool | None = None, ini: str | None = None) -> Enabled:
    """Resolve whether caches are isolated; `OptionError` for a word that is neither.

    ``command_line`` and ``ini`` are what an entry point was told; None or empty if not.
    """
    if command_line is not None:
        return Enabled(command_line, "command line")
    if (said := enabled_by_environment()) is not None:
        return said
    if ini:
        return from_word(ini, "ini cache_isolation_enabled")
    configured = _from_settings()
    if "enabled" in configured:
        return from_word(configured["enabled"], "settings.CACHE_ISOLATION['enabled']")
    return Enabled(value=True, source="default")


class Choice(Record):
    """The value of an option, and who said so."""

    value: str
    source: str


class IsolationOptions(Record):
    """How caches are isolated.

    ``stores`` holds only the aliases whose store was named. ``server`` is the command
    of private servers, empty to look for one. ``reset_memoised`` tells whether the
    project's memoised functions forget when a test ends. ``state`` names what else is
    put aside and put back, each place with the source that named it first. ``known``
    are caches of packages, as `known.KNOWN` calls them, or a word for all or none.
    """

    scope: Choice
    stores: Mapping[str, Choice]
    server: Choice
    reset_memoised: Enabled
    state: tuple[Choice, ...] = ()
    known: tuple[Choice, ...] = ()

    @property
    def granularity(self) -> Granularity:
        """The narrowest scopes that have sections of their own."""
        return Granularity(self.scope.value)


class IsolateArguments(Record):
    """What `isolate()` was given: it counts where nothing else says otherwise."""

    scope: str | None = None
    stores: object = None
    reset_memoised: bool | None = None
    state: object = None
    known: object = None


class EntryPointInputs(Record):
    """What entry points have said about the switch."""

    command_line: bool | None = None
    ini: Mapping[str, str] = MappingProxyType({})
    asked: IsolateArguments | None = None


def choices(
    *, ini: Mapping[str, str] | None = None, asked: IsolateArguments | None = None
) -> IsolationOptions:
    """Resolve how caches are isolated; `OptionError` for what means nothing."""
    ini, asked = ini or {}, asked or IsolateArguments()
    scope = Choice(Granularity.TEST.value, "default")
    for value, source in _sources("scope", ini, asked.scope):
        scope = Choice(_scope(value, source), source)
        break
    server = Choice("", "default")
    for value, source in _sources("server", ini, None):
        server = Choice(str(value), source)
        break
    reset = Enabled(value=False, source="default")
    for value, source in _sources("reset_memoised", ini, asked.reset_memoised):
        reset = from_word(value, source, _NO_GUESS_OF_RESETS)
        break
    stores: dict[str, Choice] = {}
    for value, source in _sources("stores", ini, asked.stores):
        for alias, name in _stores(value, source).items():
            # The first source that speaks of an alias wins.
            stores.setdefault(alias, Choice(name, source))
    state: dict[str, Choice] = {}
    for value, source in _sources("state", ini, asked.state):
        for name in _places(value, source):
            # All that anybody names.
            state.setdefault(name, Choice(name, source))
    known: tuple[Choice, ...] = ()
    for value, source in _sources("known", ini, asked.known):
        known = tuple(Choice(name, source) for name in _known(value, source))
        break
    return IsolationOptions(scope, stores, server, reset, tuple(state.values()), known)


def sources_of(asked: IsolateArguments | None) -> list[object]:
    """Return a copy of what options are read from, but for what entry points were told.

    As long as it is equal nothing has to be resolved again, which takes longer.
    """
    found: list[object] = [os.environ.get(name) for name in _VARIABLES]
    if settings.configured:
        found.append(_copied(getattr(settings, _SETTING, None)))
    if asked is not None:
        found += [_copied(asked.stores), asked.state, asked.known]
    return found


def _copied(value: object) -> object:
    # Others may change it in place.
    if not isinstance(value, Mapping):
        return value
    return {name: _copied(each) for name, each in value.items()}


def _sources(
    name: str, ini: Mapping[str, str], asked: object
) -> Iterator[tuple[object, str]]:
    variable = f"{ENABLED_VARIABLE}_{name.upper()}"
    if text := os.environ.get(variable, "").strip():
        yield text, f"environment {variable}"
    if text := ini.get(name, "").strip():
        yield text, f"ini {INI}{name}"
    configured = _from_settings()
    if name in configured:
        yield configured[name], f"settings.CACHE_ISOLATION[{name!r}]"
    if asked is not None:
        yield asked, f"isolate({name}=...)"


def _scope(value: object, source: str) -> str:
    known = [each.value for each in Granularity]
    if value not in known:
        raise OptionError(
            f"{source} is {value!r}, which is no scope. "
            "It says which tests share a section of a cache. "
            f"Write one of: {', '.join(known)}."
        )
    return str(value)


def _stores(value: object, source: str) -> dict[str, str]:
    given = _parsed(value) if isinstance(value, str) else value
    if not isinstance(given, Mapping):
        raise OptionError(
            f"{source} is {value!r}, which names no stores. It says for an alias how "
            'its sections are made. Write {"alias": "none"}, or alias=none.'
        )
    for alias, name in given.items():
        if name not in list(STORES):
            raise OptionError(
                f"{source} asks for the store {name!r} for alias {alias!r}, and there "
                "is none of that name: it would not be isolated as you expect. "
                f"Write one of: {', '.join(STORES)}."
            )
    return {str(alias): str(name) for alias, name in given.items()}


def _places(value: object, source: str) -> list[str]:
    if isinstance(value, str):
        return split(value)
    if isinstance(value, (list, tuple, set, frozenset)) and all(
        isinstance(each, str) for each in value
    ):
        return list(value)
    raise OptionError(
        f"{source} is {value!r}, which is no list of names. It says what else is put "
        'back after each test. Write ["shop.pricing._rates", "settings.DEBUG"].'
    )


def _known(value: object, source: str) -> list[str]:
    if isinstance(value, bool):
        value = "on" if value else "off"
    names = split(value) if isinstance(value, str) else value
    if not isinstance(names, (list, tuple, set, frozenset)) or not all(
        isinstance(each, str) for each in names
    ):
        raise OptionError(
            f"{source} is {value!r}, which names no caches of packages. It says which "
            'of them start anew with each test. Write "on", or ["content-types"].'
        )
    return list(names)


def _parsed(text: str) -> dict[str, str] | None:
    parts = [part.strip() for part in text.replace("\n", ",").split(",")]
    pairs = [part.partition("=") for part in parts if part]
    if not all(equals and alias.strip() for alias, equals, _ in pairs):
        return None
    return {alias.strip(): name.strip() for alias, _, name in pairs}


def _from_settings() -> Mapping[str, object]:
    # Unset while settings are being imported: then they can't be asked.
    if not settings.configured:
        return {}
    configured = getattr(settings, _SETTING, {})
    if not isinstance(configured, Mapping):
        raise OptionError(
            f"settings.CACHE_ISOLATION is {configured!r}, which is not a dictionary. "
            "Options are read from it by name. Write CACHE_ISOLATION = "
            '{"enabled": True}, or leave it out.'
        )
    unknown = sorted(set(map(str, configured)) - set(_NAMES))
    if unknown:
        raise OptionError(
            f"settings.CACHE_ISOLATION holds {', '.join(map(repr, unknown))}, which is "
            "no option: it would do nothing. "
            f"Options are: {', '.join(_NAMES)}."
        )
    return configured


def check_stores(asked: IsolationOptions) -> None:
    """Say so now where an option can't be followed; not a single cache is opened."""
    if not settings.configured:
        return
    for alias, choice in asked.stores.items():
        if alias not in caches.settings:
            aliases = ", ".join(map(repr, caches.settings))
            raise OptionError(
                _UNKNOWN_ALIAS.format(
                    source=choice.source, alias=alias, aliases=aliases
                )
            )
        try:
            cache_class = import_string(caches.settings[alias]["BACKEND"])
        except (ImportError, KeyError):
            continue
        check_store(alias, cache_class, choice)


def check_store(alias: str, cache_class: type, choice: Choice) -> None:
    """Say so where the store that an option names can't hold caches of a class."""
    possible = possible_names(cache_class)
    # A backend may be an object that is called.
    name = getattr(cache_class, "__qualname__", type(cache_class).__qualname__)
    if choice.value not in possible:
        raise OptionError(
            _NOT_FOR_IT.format(
                source=choice.source,
                name=choice.value,
                alias=alias,
                backend=f"{cache_class.__module__}.{name}",
                possible=" or ".join(map(repr, possible)),
            )
        )
