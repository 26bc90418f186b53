"""Isolation for ``manage.py test``: TEST_RUNNER, and a mixin for your own runner."""

from __future__ import annotations

from ci_cache_isolation.isolation.django_runner import (
    IsolatedRunner,
    IsolatedTestSuite,
    IsolationMixin,
)

__all__ = ["IsolatedRunner", "IsolatedTestSuite", "IsolationMixin"]
