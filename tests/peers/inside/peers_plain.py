"""A peer's own settings, with caches on servers of ours; isolation is not mentioned."""

import importlib
import os
import re

from django.conf import global_settings

_theirs = importlib.import_module(os.environ["PEERS_SETTINGS"])
_socket, _port = (os.environ.get(f"PEERS_{each}", "") for each in ("SOCKET", "PORT"))


def _redirected(value):
    """Put our server into the place of one at its standard address."""
    if isinstance(value, dict):
        return {name: _redirected(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_redirected(each) for each in value]
    if isinstance(value, str):
        value = re.sub(r"\b127\.0\.0\.1:6379\b", f"127.0.0.1:{_port}", value)
        return re.sub(r"/tmp/(redis|valkey)\.sock\b", _socket, value)
    return value


globals().update({n: value for n, value in vars(_theirs).items() if n.isupper()})
CACHES = _redirected(getattr(_theirs, "CACHES", global_settings.CACHES))
if os.environ.get("PEERS_BACKEND"):
    CACHES = {
        "default": {
            "BACKEND": os.environ["PEERS_BACKEND"],
            "LOCATION": os.environ["PEERS_LOCATION"],
        }
    }
