"""What commands load before they do anything."""

import subprocess
import sys

import pytest

from tests.commands import own_variables

LOADED = """
import sys
from ci_cache_isolation.cli import cli
assert len(list(cli.commands.values())) == 6
print(sorted({"asgiref", "asyncio", "django"} & sys.modules.keys()))
"""


@pytest.mark.fresh_interpreter("what it has loaded when it starts")
def test_no_command_loads_django_where_it_only_starts_what_does():
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=own_variables({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
