"""Keys that nobody shall read: a hash in place of each, the same in all processes.

Keyed by a salt of the run's own, which only the environment of its processes holds:
nobody can try whether a hash is that of a key he guesses.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable

__all__ = ["HASH_VARIABLE", "hasher_if_asked", "is_hashed", "variables"]

HASH_VARIABLE = "CI_CACHE_ISOLATION_HASH_KEYS"
_SALT_VARIABLE = "CI_CACHE_ISOLATION_HASH_SALT"
_HASHED = re.compile("key#[0-9a-f]{12}")
_OFF = frozenset({"", "off", "false", "no", "0"})


def variables(*, hashes_keys: bool) -> dict[str, str]:
    """Return what an audit's processes find in their environment."""
    if not hashes_keys:
        return {HASH_VARIABLE: "off"}
    return {HASH_VARIABLE: "on", _SALT_VARIABLE: secrets.token_hex(16)}


def hasher_if_asked() -> Callable[[str], str] | None:
    """Return what makes a hash of a key, None where keys are written as they are.

    Where the environment holds no salt this process puts one there, for its workers.
    """
    # A word that is neither on nor off must not bring secrets to light.
    if os.environ.get(HASH_VARIABLE, "").strip().lower() in _OFF:
        return None
    salt = os.environ.setdefault(_SALT_VARIABLE, secrets.token_hex(16)).encode()

    def hashed(key: str) -> str:
        text = key.encode("utf-8", "surrogatepass")
        return f"key#{hashlib.blake2b(text, digest_size=6, key=salt).hexdigest()}"

    return hashed


def is_hashed(key: str) -> bool:
    """Return whether a key is written as its hash."""
    return _HASHED.fullmatch(key) is not None
