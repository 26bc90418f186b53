"""Django in a worker, set up for a task as ``manage.py test`` sets it up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.conf import settings
from django.test.runner import DiscoverRunner
from django.test.utils import get_runner

from bench.task import Task

__all__ = ["is_in_section", "running"]

PLAIN = "django.test.runner.DiscoverRunner"
ISOLATED = "ci_cache_isolation.runner.IsolatedRunner"


@contextmanager
def running(task: Task) -> Iterator[DiscoverRunner]:
    """Have a test runner ready, plain or isolated, and the test databases made."""
    settings.configure(
        CACHES=task.caches,
        DATABASES=task.databases,
        SECRET_KEY="not a secret",  # noqa: S106
        TEST_RUNNER=ISOLATED if task.is_isolated else PLAIN,
        USE_TZ=True,
    )
    django.setup()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    runner.setup_test_environment()
    databases = runner.setup_databases(aliases={"default"} if task.databases else set())
    try:
        yield runner
    finally:
        runner.teardown_databases(databases)
        runner.teardown_test_environment()


def is_in_section(task: Task) -> bool:
    """Return whether the running test has a section of the cache."""
    if not task.is_isolated:
        return False
    # A plain contestant never imports the package.
    from ci_cache_isolation import current_section  # noqa: PLC0415

    return current_section() is not None
