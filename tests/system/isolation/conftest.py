"""Fixtures of tests/system/isolation and of tests/exhaustive/isolation."""

import pytest

pytest.register_assert_rewrite("tests.at_once", "tests.kinds", "tests.neighbours")

from tests.at_once import on_server, workers_apart  # noqa: E402
from tests.kinds import kinds, kinds_apart  # noqa: E402
from tests.neighbours import shared  # noqa: E402

__all__ = ["kinds", "kinds_apart", "on_server", "shared", "workers_apart"]
