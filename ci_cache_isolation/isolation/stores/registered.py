"""State that is no cache, by the names that options give: put aside, and put back.

As entries in memory are: what a scope's own set-up did stays for what it encloses, and
what a test does to it is gone when it ends.
"""

from __future__ import annotations

from collections.abc import Sequence

from ci_cache_isolation.isolation.stores.base import Store
from ci_cache_isolation.state.places import Kept, Place, merged

__all__ = ["RegisteredStore"]

_Section = list[Kept]


class RegisteredStore(Store):
    """Sections of the places that are registered. It holds no caches."""

    names = ()

    def __init__(self, places: Sequence[Place]) -> None:
        self.registered = tuple(place.text for place in places)
        self._places = tuple(places)
        # What was there when section n + 1 began in section n.
        self._enclosing: list[_Section] = []

    def adopt(self, alias: str, cache: object) -> bool:  # noqa: ARG002
        """Return that no cache is in its hands."""
        return False

    def begin(self, number: int = 0, *, is_raw: bool = False) -> None:  # noqa: ARG002
        """Put aside what is there."""
        self._enclosing.append(self._keep())

    def end(self) -> None:
        """Put back what was there when the section began."""
        self._put_back(self._enclosing.pop())

    def follow(self, number: int = 0, *, is_raw: bool = False) -> None:  # noqa: ARG002
        """Put it back; the copy stays for the section that begins."""
        self._put_back(self._enclosing[-1])

    def suspend(self, depth: int) -> tuple[list[_Section], _Section]:
        """Show what was there in the section at ``depth``."""
        enclosing, innermost = self._enclosing[depth:], self._keep()
        del self._enclosing[depth:]
        if enclosing:
            self._put_back(enclosing[0])
        return enclosing, innermost

    def resume(self, suspended: tuple[list[_Section], _Section]) -> None:
        """Carry what was done since into every section that was set aside."""
        enclosing, innermost = suspended
        if not enclosing:
            return
        was, now = enclosing[0], self._keep()
        inner = [
            [merged(*each) for each in zip(section, was, now, strict=True)]
            for section in [*enclosing[1:], innermost]
        ]
        sections = [now, *inner]
        self._enclosing += sections[:-1]
        self._put_back(sections[-1])

    def section_id(self, alias: str, number: int) -> None:
        """Return None: there are no keys."""

    def _keep(self) -> _Section:
        return [place.keep() for place in self._places]

    def _put_back(self, section: _Section) -> None:
        for place, kept in zip(self._places, section, strict=True):
            place.put_back(kept)
