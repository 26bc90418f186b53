"""Locations without their passwords, the one place where they are taken out."""

from __future__ import annotations

import re

__all__ = ["redacted"]

# Everything between "//" and the last "@" of a URL but the user's name. A "/" should be
# written as %2F in there, but whoever forgot that has a secret too.
_PASSWORD = re.compile(r"(?<=//)([^:/?#\s,;]*):(?:(?!://)\S)*@")
_PARAMETER = re.compile(r"(?i)((?:password|passwd|pwd|secret|token)=)[^&\s'\"),;]+")


def redacted(location: object) -> str:
    """Return a LOCATION as text, for messages: passwords are three stars."""
    if isinstance(location, (list, tuple, set)):
        return ", ".join(redacted(each) for each in location)
    text = _PASSWORD.sub(r"\1:***@", str(location))
    return _PARAMETER.sub(r"\1***", text)
