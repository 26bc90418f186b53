"""Keys that differ by a number, an id or an address only: one pattern. Pure.

``user:17:cart`` and ``user:18:cart`` are both ``user:<n>:cart``.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from ci_cache_isolation.evidence.hashing import is_hashed

__all__ = ["pattern_of"]

_PART = "[0-9A-Fa-f]{1,4}"
_UUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_IPV4 = r"(?:(?:::|(?:0{1,4}:){5})ffff:)?(?:[0-9]{1,3}\.){3}[0-9]{1,3}"
_IPV6 = f"(?:{_PART}:){{7}}{_PART}"
# It begins with no word that letters of a digest can spell: in "feed::1" there is none.
_IPV6_SHORT = (
    f"(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{{3,4}}(?::{_PART})*::(?:{_PART}(?::{_PART})*)?"
)
_BEFORE, _BEHIND = "(?<![0-9A-Za-z])", "(?![0-9A-Za-z])"
_VARYING = re.compile(
    f"{_BEFORE}(?P<uuid>{_UUID}){_BEHIND}"
    rf"|{_BEFORE}(?P<ip>{_IPV4}|{_IPV6}|{_IPV6_SHORT}){_BEHIND}(?![.:][0-9])"
    # A session's key stands right after its prefix.
    rf"|(?:(?<=sessions\.cache)|(?<=sessions\.cached_db)|{_BEFORE})"
    f"(?P<id>[0-9a-z]{{32}}){_BEHIND}"
    f"|{_BEFORE}(?P<hex>[0-9a-f]{{8,}}|[0-9A-F]{{8,}}){_BEHIND}"
    "|(?P<n>[0-9]+)"
)
_DIGITS = re.compile("[0-9]+")


def pattern_of(key: str) -> str:
    """Return a key with ``<n>``, ``<hex>``, ``<id>``, ``<uuid>`` or ``<ip>`` in it."""
    # Of a hash nothing can be said: it varies as a whole.
    return key if is_hashed(key) else _VARYING.sub(_named, key)


def _named(found: re.Match[str]) -> str:
    name, text = str(found.lastgroup), found[0]
    if text.isdigit():
        return "<n>"
    # Words can be spelled with the letters of a digest, but not eight in a row.
    varies = _is_address(text) if name == "ip" else _DIGITS.search(text)
    if not varies:
        return _DIGITS.sub("<n>", text)
    is_digest = name == "id" and not set(text) - set("0123456789abcdef")
    return "<hex>" if is_digest else f"<{name}>"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
