"""What commands load before they do anything: a fresh interpreter is the subject."""

import subprocess
import sys

LOADED = """
import sys
from ci_cache_isolation.cli import cli
assert len(list(cli.commands.values())) == 6
print(sorted({"asgiref", "asyncio", "django"} & sys.modules.keys()))
"""


def test_no_command_loads_django_where_it_only_starts_what_does():
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
