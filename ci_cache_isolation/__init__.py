"""Each Django test, class and process gets its own section of every cache.

Importing this package loads no settings and changes nothing.
"""

from ci_cache_isolation.isolation.isolated import IsolatedCacheMixin, isolated
from ci_cache_isolation.isolation.switch import current_section, install

__all__ = ["IsolatedCacheMixin", "current_section", "install", "isolated"]
