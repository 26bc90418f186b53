"""What ``--help`` says: words of people's, and no name of a class of ours."""

import re

import click
import pytest

from ci_cache_isolation.cli import cli

# Those that are names to people as well.
NAMES = {"GitHub", "JUnit"}


@pytest.mark.parametrize("name", [None, *sorted(cli.commands)])
def test_no_help_text_names_a_class(name):
    command = cli if name is None else cli.commands[name]
    text = command.get_help(click.Context(command, info_name=name))
    assert set(re.findall(r"\b[A-Z][a-z]+[A-Z]\w*", text)) <= NAMES
