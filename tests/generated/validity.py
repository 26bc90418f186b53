"""Whether what was generated is what it seems, by the tools that read it."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml


def assert_valid(folder: Path) -> None:
    """Files parse, ruff is content with them, and no name is left of a template."""
    for path in folder.rglob("*"):
        assert not {"%", "{"} & set(path.name)
        assert not path.is_dir() or any(path.iterdir())
    for path in folder.rglob("*.toml"):
        tomllib.loads(path.read_text("utf-8"))
    for path in folder.rglob("*.yml"):
        yaml.safe_load(path.read_text("utf-8"))
    for path in folder.rglob("*.py"):
        ast.parse(path.read_bytes())
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "--quiet"]
        done = subprocess.run(
            [*ruff, str(folder)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
