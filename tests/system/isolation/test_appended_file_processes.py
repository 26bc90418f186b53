"""A file that is appended to, and what is there when its writer is killed."""

import os
import signal
import subprocess
import sys

from ci_cache_isolation.isolation.appended_file import AppendedFile
from tests import appended_files
from tests.appended_files import content

path = appended_files.path

KILLED = """
import os, signal, sys
from pathlib import Path
from ci_cache_isolation.isolation.appended_file import AppendedFile
file = AppendedFile(Path(sys.argv[1]))
for number in range(20_000):
    file.append(b"line %d\\n" % number)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_all_is_there_after_its_writer_was_killed(tmp_path):
    path = tmp_path / "file"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert content(path).splitlines() == [b"line %d" % each for each in range(20_000)]


def test_a_forked_child_that_closes_it_leaves_it_to_its_parent(path):
    file = AppendedFile(path)
    file.append(b"one\n")
    child = os.fork()
    if not child:
        file.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    file.append(b"two\n")
    assert content(path) == b"one\ntwo\n"
    file.close()
