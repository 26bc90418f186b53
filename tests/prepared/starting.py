"""``subprocess`` that has commands of Python's started from a spare."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.prepared.commands import parsed

__all__ = ["fork_exec", "install"]

fork_exec = subprocess._fork_exec
"""What starts a program, as it comes with Python."""


def install(spare, is_wanted=lambda: True):
    """Have this process start from the spare what it can stand for.

    ``subprocess`` has one place in which all of ``Popen``'s arguments are known and a
    process begins: this puts another function there.
    """

    def start(*given):
        command = None
        if is_wanted() and spare.is_ours():
            command = _command(*given)
        if command is None:
            return fork_exec(*given)
        in_, _, _, out, _, err, _, failure = given[6:14]
        files = [
            own if own >= 0 else place for place, own in enumerate((in_, out, err))
        ]
        more = [number for number in given[3] if number != failure]
        command = replace(command, descriptors=[0, 1, 2, *more])
        return spare.start(command, [*files, *more])

    subprocess._fork_exec = start
    # The documented switch: there is one way in then, not two.
    subprocess._USE_POSIX_SPAWN = False


def _command(words, executables, closes_files, _, folder, environment, *others):
    """Return the command that ``Popen`` was asked for, or None."""
    (_, has_session, group, gid, gids, uid, umask, preexec_fn) = others[8:16]
    folder = Path(os.fsdecode(folder or ".")).absolute()
    if (
        not closes_files
        or (gid, gids, uid, umask, preexec_fn) != (None, None, None, -1, None)
        or os.fsdecode(executables[0]) != sys.executable
        or not folder.is_dir()
    ):
        return None
    if environment is None:
        variables = dict(os.environ)
    else:
        pairs = (os.fsdecode(each).partition("=") for each in environment)
        variables = {name: value for name, _, value in pairs}
    command = parsed(words, str(folder), variables, sys.executable)
    if command is not None:
        command = replace(command, has_session=bool(has_session), group=group)
    return command
