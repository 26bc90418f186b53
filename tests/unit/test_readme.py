"""The README: its commands are ones that our parser takes, and they do what it says."""

import re
import shlex
from pathlib import Path

import pytest

from ci_cache_isolation.cli import cli
from tests.commands import copied

TEXT = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line
    for block in BLOCKS
    for line in block.splitlines()
    if line.startswith("cache-isolation ")
]
IN_SENTENCES = re.findall(r"`(cache-isolation [^`]+)`", TEXT)


def parsed(command):
    name, *arguments = shlex.split(command)[1:]
    # What is read is not there: only the options are looked at.
    arguments = [each for each in arguments if name != "merge" or each.startswith("-")]
    cli.commands[name].make_context(name, [*arguments, *(["."] * (name == "merge"))])


@pytest.mark.parametrize("command", [*COMMANDS, *IN_SENTENCES])
def test_every_command_is_one_that_our_parser_takes(command):
    parsed(command)


@pytest.mark.parametrize("option", re.findall(r"^- `(--[^`]+)`", TEXT, re.MULTILINE))
def test_every_option_that_is_explained_is_one_of_a_command(option):
    names = {
        each
        for command in cli.commands.values()
        for parameter in command.params
        for each in parameter.opts
    }
    assert option.split()[0] in names


def test_no_line_is_too_wide():
    wide = [line for line in TEXT.splitlines() if len(line) > 88]
    assert wide == []


@pytest.mark.exhaustive
def test_the_commands_do_in_a_project_what_is_said(tmp_path):
    small = copied("small", tmp_path)
    for path in small.folder.glob("cases/test_*.py"):
        if path.name != "test_leaking.py":
            path.unlink()
    codes = {}
    # What other runs on the machine have left is not this test's to purge.
    own = {"CI_CACHE_ISOLATION_STATE": str(tmp_path / "state")}
    for command in COMMANDS:
        words = shlex.split(command)[1:]
        done = small.python("-m", "ci_cache_isolation", *words, **own)
        assert "Traceback" not in done.out + done.err
        codes[command] = done.code
    shards = [each for each in COMMANDS if "--shard" in each]
    # doctor: nothing in its settings switches isolation on, but pytest's plugin does.
    assert codes == {
        **dict.fromkeys(COMMANDS, 1),
        "cache-isolation doctor": 0,
        "cache-isolation purge": 0,
        # What leaks there through a module global fails in reverse: that is shard 1's.
        shards[-1]: codes[shards[-1]],
    }
    assert codes[shards[-1]] in {0, 1}
