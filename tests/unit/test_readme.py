"""The README: its commands are ones that our parser takes, and its lines are short."""

import re
import shlex

import pytest

from ci_cache_isolation.cli import cli
from tests.readme import COMMANDS, TEXT

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
