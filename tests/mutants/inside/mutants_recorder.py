"""Notes which lines of the package's functions run, in every process of a slot.

A ``.pth`` file imports it, so that no test can leave it out by an environment of its
own. Each process has one byte for each line in a file that it maps into its memory:
what it noted is there however it ends. A fork notes in a file of its own. The number
of what runs now, the context, is in memory that all of them share: a process may be
forked ahead of the test that is going to use it.
"""

import inspect
import itertools
import mmap
import os
import sys
from pathlib import Path

from mutants_place import LINES, OFFSETS, RECORDS

monitoring = sys.monitoring
numbers = itertools.count()
notes = context = None


def mapped(path, size):
    number = os.open(path, os.O_RDWR | os.O_CREAT)
    os.ftruncate(number, size)
    # Tests count open files, and may close them.
    untracked = {"trackfd": False} if sys.version_info >= (3, 13) else {}
    memory = mmap.mmap(number, size, **untracked)
    os.close(number)
    return memory


def begin(number):
    """Note what runs from now on, here and elsewhere, in a context."""
    current[:] = number.to_bytes(len(current))
    forget()


def forget():
    """Note every line anew."""
    global notes, context  # noqa: PLW0603 - a process has one
    notes = context = None
    monitoring.restart_events()


def open_notes():
    global notes, context  # noqa: PLW0603
    forget()
    context = current[:]
    folder = Path(RECORDS) / str(int.from_bytes(context))
    folder.mkdir(exist_ok=True)
    notes = mapped(folder / f"{os.getpid()}-{next(numbers)}", LINES)


def started(code, _):
    # What runs at import is not for the test that happens to import first.
    if code.co_filename in OFFSETS and code.co_flags & inspect.CO_OPTIMIZED:
        monitoring.set_local_events(tool, code, monitoring.events.LINE)
    return monitoring.DISABLE


def ran(code, line):
    if context != current[:]:
        open_notes()
    notes[OFFSETS[code.co_filename] + line] = 1
    return monitoring.DISABLE


current = mapped(Path(RECORDS) / "current", 8)
tool = next(each for each in (4, 3) if monitoring.get_tool(each) is None)
monitoring.use_tool_id(tool, "mutants")
monitoring.register_callback(tool, monitoring.events.PY_START, started)
monitoring.register_callback(tool, monitoring.events.LINE, ran)
monitoring.set_events(tool, monitoring.events.PY_START)
os.register_at_fork(after_in_child=forget)
