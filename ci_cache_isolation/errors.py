"""The errors this package raises: what was found, why it matters, what to do."""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "REFUSED",
    "CacheIsolationWarning",
    "IsolationError",
    "NotActiveError",
    "OptionError",
    "ServerNotFoundError",
    "ServerNotStartedError",
    "SettingsError",
]


REFUSED = "ci-cache-isolation: "
"""Begins what a settings module says when it ends the process, of an option of ours."""


class IsolationError(Exception):
    """Base of all errors of this package."""

    slug: ClassVar[str] = "error"


class OptionError(IsolationError):
    """An option holds a value that means nothing."""

    slug = "option"


class NotActiveError(IsolationError):
    """Isolation was switched on, and other code is in its way."""

    slug = "not-active"


class ServerNotFoundError(IsolationError):
    """No program on this machine can be a private server."""

    slug = "server-not-found"


class ServerNotStartedError(IsolationError):
    """A private server's program ended at once, or does not answer."""

    slug = "server-not-started"


class SettingsError(IsolationError):
    """A project's settings can't be imported, or Django can't be set up with them."""

    slug = "settings"


class CacheIsolationWarning(UserWarning):
    """A cache is used that isolation can't reach: tests still meet in it."""
