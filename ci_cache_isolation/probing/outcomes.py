"""What came of a call: a value, an error by type and text, warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from ci_cache_isolation.isolation.redaction import redacted
from ci_cache_isolation.probing.steps import digits

__all__ = ["Outcome", "said", "shown"]

_LONG = 200
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call came to, as text in which no random name is left.

    ``call`` is the call as a user would write it. ``about`` is a number that may
    differ by as much as the call takes time.
    """

    call: str
    value: str = ""
    error: str = ""
    warnings: tuple[str, ...] = ()
    about: float | None = None

    def __str__(self) -> str:
        about = "" if self.about is None else f"about {self.about:g}"
        came = self.error or self.value or about or "no error"
        return ", and ".join([came, *self.warnings])

    def to_json(self) -> list[Any]:
        """Return it as JSON can hold it."""
        return [self.call, self.value, self.error, list(self.warnings), self.about]

    @classmethod
    def from_json(cls, written: list[Any]) -> Outcome:
        """Return what `to_json` was called on."""
        call, value, error, warnings, about = written
        return cls(call, value, error, tuple(warnings), about)


def shown(value: Any, token: str) -> str:
    """Return a value as text: the same for what a user would take for the same.

    Of objects only their class is shown; what has no order is put in order.
    """
    return said(_shown(value, token), token)


def said(text: str, token: str) -> str:
    """Return a text without what is random in it."""
    for random in (token, digits(token)) if token else ():
        text = text.replace(random, "")
    text = _ADDRESS.sub("0x…", redacted(text))
    return text if len(text) <= _LONG else f"{text[:_LONG]}… ({len(text)} characters)"


def _shown(value: Any, token: str) -> str:
    kind = type(value)
    if kind in _PLAIN:
        return repr(value)
    if isinstance(value, Mapping):
        pairs = [f"{_shown(k, token)}: {_shown(v, token)}" for k, v in value.items()]
        return _named(kind, dict, f"{{{', '.join(sorted(pairs))}}}")
    if isinstance(value, (AbstractSet, Iterator)):
        ordered = ", ".join(sorted(_shown(each, token) for each in value))
        return _named(kind, set, f"{{{ordered}}}")
    if isinstance(value, Sequence):
        each = [_shown(item, token) for item in value]
        if token and value and all(token in text for text in each):
            # Keys that were looked for: no server says in which order.
            each.sort()
        start, end = "()" if isinstance(value, tuple) else "[]"
        return _named(kind, list, f"{start}{', '.join(each)}{end}")
    return f"<{kind.__module__}.{kind.__qualname__}>"


def _named(kind: type, usual: type, text: str) -> str:
    return text if kind in {usual, tuple} else f"{kind.__name__}({text})"
