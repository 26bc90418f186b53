"""``cache-isolation`` and ``python -m ci_cache_isolation``."""

from __future__ import annotations

import sys

__all__ = ["main"]

CANNOT_START = 4
INTERRUPTED = 130


def main() -> None:
    """Run the commands, or say what they need."""
    try:
        from ci_cache_isolation.cli import cli
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing not in {"click", "rich"}:
            raise
        sys.stderr.write(
            f"cache-isolation needs {missing}, which is not installed. "
            "Isolation works without it, the commands do not. "
            "Install it with: python -m pip install 'ci-cache-isolation[stress]'\n"
        )
        sys.exit(CANNOT_START)
    cli(prog_name="cache-isolation")


if __name__ == "__main__":
    main()
