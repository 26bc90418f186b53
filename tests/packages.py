"""Packages from PyPI in a folder of their own, without what they ask for.

Some forbid the Django or the client that these tests use, and work with it anyway.
"""

import os
import subprocess
import sys

import pytest


def installed_in(folder, requirements):
    """Install them, and return the folder, for PYTHONPATH."""
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*install, "--python", sys.executable, "--target", folder, *requirements],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(done.stderr)
    return folder
