"""The same settings with isolation on, as a user would write it."""

from peers_plain import *  # noqa: F403
from peers_plain import CACHES

from ci_cache_isolation.settings import isolate

CACHES = isolate(CACHES)
TEST_RUNNER = "ci_cache_isolation.runner.IsolatedRunner"
