"""Holds a cache since import, and asks it before any test runs."""

import os
import threading

from django.apps import AppConfig
from django.core.cache import caches

held = caches["server"]


class LeaksConfig(AppConfig):
    name = "leaks"

    def ready(self):
        # Its socket is open when the process forks.
        held.get("opened")
        if "PAIRS_THREAD" in os.environ:
            waiting = threading.Event().wait
            threading.Thread(target=waiting, name="waiting", daemon=True).start()
