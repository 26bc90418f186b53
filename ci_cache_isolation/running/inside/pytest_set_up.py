"""pytest set up as for a run, conftest.py included, in which nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import pytest

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.running.inside.pytest_forks import queries_allowed

__all__ = ["set_up"]


class _ActingPlugin:
    def __init__(self, act: Callable[[pytest.Config], None]) -> None:
        self._act = act

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(
        self, early_config: pytest.Config
    ) -> Generator[None, object, object]:
        """Measure no coverage."""
        early_config.known_args_namespace.no_cov = True
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Act in the place of collecting tests."""
        try:
            # As pytest itself does it for --help.
            config._do_configure()  # noqa: SLF001
        except pytest.UsageError as error:
            if isinstance(error.__context__, IsolationError):
                raise error.__context__ from None
            raise
        with queries_allowed(config):
            self._act(config)
        return 0


def set_up(options: Sequence[str], act: Callable[[pytest.Config], None]) -> None:
    """Have ``act`` called where pytest would collect tests.

    Where setting up fails, it is not called: pytest prints why, or raises it.
    """
    always = ("-p", "no:cacheprovider", "--capture=no")
    pytest.main([*always, *options], [_ActingPlugin(act)])
