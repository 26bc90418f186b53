"""Names of places in one text, as options hold them."""

from __future__ import annotations

__all__ = ["split"]


def split(text: str) -> list[str]:
    """Return the names in a text, which commas or lines divide outside of brackets."""
    found, depth, quote, current = [], 0, "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        depth += (character in "([") - (character in ")]") if not quote else 0
        if character in ",\n" and not quote and depth <= 0:
            found.append(current)
            current = ""
        else:
            current += character
    return [each.strip() for each in [*found, current] if each.strip()]
