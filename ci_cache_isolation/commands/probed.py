"""One process of ``doctor --probe``: it sets itself up as that command did.

``python -m ci_cache_isolation.commands.probed RUNNER SETTINGS``; settings may be empty.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.probing import Channel
from ci_cache_isolation.project import in_project

__all__ = ["main"]


def main(runner: str, settings: str) -> None:
    """Do what the command says, in its project."""
    channel = Channel()
    try:
        in_project(Path.cwd(), runner, settings or None, lambda _: channel.serve())
    except IsolationError as error:
        channel.refuse(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
