"""The command line: ``cache-isolation stress``, ``audit`` and others.

Exit codes: 0 clean, 1 leaks or flaky tests found, 2 usage, 3 nothing ran, 4 suite
broken or cannot start, 5 nothing found but not all put to the test, 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import click

from ci_cache_isolation.commands.exits import (
    TRACEBACK_VARIABLE,
    ExitCode,
    fail,
    unexpected,
)
from ci_cache_isolation.errors import OptionError

__all__ = ["ExitCode", "cli"]


class _Commands(click.Group):
    """Commands whose interrupt has our exit code: click's own is that of a leak.

    CI systems end what takes too long by SIGTERM. An error that nobody expected is no
    leak either.
    """

    def invoke(self, ctx: click.Context) -> Any:
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            _check_folder()
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(ExitCode.INTERRUPTED)
        except BrokenPipeError:
            # Whoever read has gone. Python would say so once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(ExitCode.INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            is_django = (
                isinstance(error, ModuleNotFoundError) and error.name == "django"
            )
            if is_django or os.environ.get(TRACEBACK_VARIABLE):
                raise
            fail(unexpected(error), ExitCode.CANNOT_START)
        finally:
            signal.signal(signal.SIGTERM, before)


def _check_folder() -> None:
    try:
        Path.cwd()
    except OSError as error:
        found = f"The folder in which this was called can't be found: {error.strerror}."
        text = f"{found} A command works in a project's folder. Go to one that exists."
        fail(OptionError(text), ExitCode.USAGE)


def _interrupt(*_: object) -> NoReturn:
    """End as Ctrl-C does, with what is known; once, since it may come twice."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    raise KeyboardInterrupt


class _Loading(Mapping[str, click.Command]):
    """Commands by their names: each is imported when it is asked for."""

    _modules = MappingProxyType(
        {name: name for name in ("audit", "merge", "replay", "stress")}
        | dict.fromkeys(("doctor", "purge"), "upkeep")
    )

    def __getitem__(self, name: str) -> click.Command:
        module = import_module(f"ci_cache_isolation.commands.{self._modules[name]}")
        command: click.Command = getattr(module, name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._modules))

    def __len__(self) -> int:
        return len(self._modules)


@click.group(
    cls=_Commands,
    commands=_Loading(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="ci-cache-isolation")
def cli() -> None:
    """Find the tests that fail because of what other tests left behind."""
