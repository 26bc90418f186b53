"""A backend whose store is its own: Django keeps no list of it."""

import threading
from collections import OrderedDict

from django.core.cache.backends.locmem import LocMemCache

_entries = OrderedDict()
_expiries = {}
_lock = threading.Lock()


class PrivateLocMemCache(LocMemCache):
    def __init__(self, name, params):
        super().__init__(name, params)
        self._cache = _entries
        self._expire_info = _expiries
        self._lock = _lock
