"""``cache-isolation`` and ``python -m ci_cache_isolation``."""

from __future__ import annotations

import sys

__all__ = ["main"]

CANNOT_START = 4
INTERRUPTED = 130


_STRESS = (
    "Isolation works without it, the commands do not. Install it with: "
    "python -m pip install 'ci-cache-isolation[stress]'"
)
_NEEDED = {
    "click": _STRESS,
    "msgspec": _STRESS,
    "rich": _STRESS,
    "django": "Install ci-cache-isolation[stress] where your tests' packages are, and "
    "call it with their Python.",
}
_NOT_INSTALLED = (
    "cache-isolation needs {missing}, which is not installed in {python}. {way_out}\n"
)


def main() -> None:
    """Run the commands, or say what they need."""
    try:
        from ci_cache_isolation.cli import cli

        cli(prog_name="cache-isolation")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing not in _NEEDED:
            raise
        sys.stderr.write(
            _NOT_INSTALLED.format(
                missing=missing, python=sys.executable, way_out=_NEEDED[missing]
            )
        )
        sys.exit(CANNOT_START)


if __name__ == "__main__":
    main()
