"""A user's script, such as runtests.py, whose test runner is one of ours.

The script makes a runner of Django's, once it has configured the settings. The object
that it gets is of a class derived from the one it asked for. A manage.py is only asked
which settings it chooses.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from django.core.management import ManagementUtility
from django.test.runner import DiscoverRunner

__all__ = ["main", "run_script", "run_until_django"]

_SEVERAL = (
    "{script} calls run_tests() in more than one place: forks run the tests of the "
    "first call only."
)


def main() -> None:
    """Run the script, its first argument says in which way."""
    way, script, *arguments = sys.argv[1:]
    run_script(script, arguments, _forking(script) if way == "forking" else _ordered)


def run_script(
    script: str, arguments: Sequence[str], derived: Callable[[type], type]
) -> None:
    """Run a script as Python does; each test runner that it makes is a derived one."""
    made: dict[type, type] = {}

    def new(runner: type, *_: object, **__: object) -> Any:
        known = set(made.values())
        if runner not in known:
            runner = made.setdefault(runner, derived(runner))
        return object.__new__(runner)

    DiscoverRunner.__new__ = new  # type: ignore[assignment,method-assign]
    try:
        _run(script, arguments)
    finally:
        del DiscoverRunner.__new__


def run_until_django(script: str, arguments: Sequence[str]) -> None:
    """Run a script such as manage.py up to the place where it calls Django's commands.

    By then it has chosen the settings. No command is run. ``sys.argv`` stays as it is
    then, since settings may depend on it. Raises what the script raises.
    """
    execute = ManagementUtility.execute
    ManagementUtility.execute = _reached  # type: ignore[assignment,method-assign]
    try:
        _run(script, arguments)
    except _ReachedError:
        pass
    finally:
        ManagementUtility.execute = execute  # type: ignore[method-assign]


class _ReachedError(BaseException):
    """Leaves a script where it calls Django."""


def _reached(_: object) -> NoReturn:
    raise _ReachedError


def _run(script: str, arguments: Sequence[str]) -> None:
    sys.argv = [script, *arguments]
    # In the place of the folder in which this was called.
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))  # noqa: PTH100, PTH120
    runpy.run_path(script, run_name="__main__")


def _ordered(runner: type) -> type:
    from ci_cache_isolation.running.inside.django_order import (  # noqa: PLC0415
        ordered_runner,
    )

    return type(runner.__name__, (_OneProcess, ordered_runner(runner)), {})


def _forking(script: str) -> Callable[[type], type]:
    has_served = False
    several = Path(script).read_text(encoding="utf-8").count(".run_tests(") > 1
    remark = _SEVERAL.format(script=script) if several else ""

    def derived(runner: type) -> type:
        nonlocal has_served
        if has_served:
            # The tests of one runner were served. There is nobody to ask for others.
            sys.exit()
        has_served = True
        from ci_cache_isolation.running.inside.django_forks import (  # noqa: PLC0415
            forking_runner,
        )

        bases = (_OneProcess, forking_runner(runner))
        return type(runner.__name__, bases, {"remark": remark})

    return derived


class _OneProcess:
    """What options say to ``manage.py test``: one process, and no question."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        vars(self).update(parallel=1, interactive=False)


if __name__ == "__main__":
    main()
