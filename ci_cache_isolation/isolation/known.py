"""What well-known packages keep in a process besides Django's caches, and its cure.

On request only, by name: some take a while to fill again. An entry is at work where its
module is loaded, so nothing of a package that is not used is imported.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.isolation import notices
from ci_cache_isolation.isolation.environment import from_word
from ci_cache_isolation.isolation.memoised import CONTENT_TYPES, MEMOISED, SITES
from ci_cache_isolation.isolation.options import Choice
from ci_cache_isolation.isolation.records import Record
from ci_cache_isolation.state.places import Place, WrongPlaceError

__all__ = ["KNOWN", "OF_FUNCTIONS", "Known", "chosen", "fill", "forgetting", "places"]

OF_FUNCTIONS = "memoised"
_UNKNOWN = (
    "{source} names {name!r}, and no cache of a package is known by that name: it "
    "would not start anew with each test. Write 'on' for all, or some of: {known}."
)
_NOT_DONE = (
    "What {name} remembers could not be {what}: {error}. Tests may meet what others "
    "had it remember."
)


class Known(Record):
    """What one package keeps, and the module whose presence tells that it does.

    ``clear`` has it forget after each test. ``places`` are put back after each test, as
    state that options name. ``fill`` has it remember, before the first test, what any
    test would: then it is the same for all. Both functions are given the module.
    """

    module: str
    clear: Callable[[Any], object] | None = None
    fill: Callable[[Any], object] | None = None
    places: tuple[str, ...] = ()


def _reset_loaders(module: Any) -> None:
    # Only those that there are: engines are made when they are asked for.
    for engine in list(vars(module.engines).get("_engines", {}).values()):
        inner = getattr(engine, "engine", None)
        loaders = () if inner is None else vars(inner).get("template_loaders", ())
        for loader in loaders:
            loader.reset()


def _load_catalogue(module: Any) -> None:
    if module.settings.USE_I18N:
        module.translation(module.settings.LANGUAGE_CODE)


def _load_urls(module: Any) -> None:
    if getattr(module.settings, "ROOT_URLCONF", None):
        module.get_resolver()._populate()  # noqa: SLF001


KNOWN: dict[str, Known] = {
    "cacheops": Known("cacheops.query", places=("cacheops.query._local_get_cache",)),
    "constance": Known(
        "constance.backends.memory",
        places=("constance.backends.memory.MemoryBackend._storage",),
    ),
    "content-types": Known(
        CONTENT_TYPES, lambda module: module.ContentType.objects.clear_cache()
    ),
    OF_FUNCTIONS: Known("functools", lambda _: MEMOISED.reset()),
    "request-cache": Known(
        "edx_django_utils.cache.utils",
        lambda module: module.RequestCache.clear_all_namespaces(),
    ),
    "rest-framework": Known(
        "rest_framework.settings", places=("rest_framework.settings.api_settings",)
    ),
    "sites": Known(SITES, lambda module: module.Site.objects.clear_cache()),
    "sorl": Known(
        "sorl.thumbnail.images",
        lambda module: module.get_or_create_storage.cache_clear(),
    ),
    "templates": Known("django.template", _reset_loaders),
    "translations": Known(
        "django.utils.translation.trans_real",
        fill=_load_catalogue,
        places=("django.utils.translation.trans_real._translations",),
    ),
    "urls": Known("django.urls.resolvers", fill=_load_urls),
}
"""By what options call them."""


def chosen(named: Sequence[Choice]) -> list[Choice]:
    """Return what is named, all of it for "on"; `OptionError` for an unknown name."""
    if len(named) == 1:
        [(word, source)] = [(each.value, each.source) for each in named]
        with suppress(OptionError):
            is_on = from_word(word, source).value
            return [Choice(name, source) for name in KNOWN] if is_on else []
    for each in named:
        if each.value not in KNOWN:
            raise OptionError(
                _UNKNOWN.format(
                    source=each.source, name=each.value, known=", ".join(KNOWN)
                )
            )
    return list(named)


def forgetting(names: Sequence[str]) -> Callable[[], None] | None:
    """Return what has those that are named forget; None where there is nothing to do.

    It fails nobody's test.
    """
    clears = [(name, KNOWN[name].clear) for name in names if KNOWN[name].clear]
    if not clears:
        return None

    def forget() -> None:
        for name, clear in clears:
            _do(name, clear, "cleared")

    return forget


def places(named: Iterable[Choice]) -> Iterator[Choice]:
    """Yield the places of those that are named and at work, with who named them.

    A package may have moved what it keeps: that is said, and no run ends for it.
    """
    for each in named:
        known = KNOWN[each.value]
        for place in known.places if known.module in sys.modules else ():
            try:
                Place(place)
            except WrongPlaceError as error:
                text = _NOT_DONE.format(name=each.value, what="put back", error=error)
                notices.note(text)
            else:
                yield Choice(place, each.source)


@functools.cache
def fill(name: str) -> None:
    """Have one that is named remember what any test would, once in a process."""
    _do(name, KNOWN[name].fill, "filled")


def _do(name: str, work: Callable[[Any], object] | None, what: str) -> None:
    module = sys.modules.get(KNOWN[name].module)
    if module is None or work is None:
        return
    try:
        work(module)
    except Exception as error:  # noqa: BLE001 - the tests are not to blame
        text = f"{type(error).__name__}: {error}"
        notices.note(_NOT_DONE.format(name=name, what=what, error=text))
