"""``subprocess`` that has commands of Python's started from a spare."""

import os
import subprocess
import sys
from dataclasses import replace

from tests.prepared.commands import parsed

__all__ = ["install"]

_fork_exec = subprocess._fork_exec


def install(spare, is_wanted=lambda: True):
    """Have this process start from the spare what it can stand for.

    ``subprocess`` has one place in which all of ``Popen``'s arguments are known and a
    process begins: this puts another function there.
    """

    def start(
        arguments,
        executables,
        closes_files,
        kept,
        folder,
        environment,
        *others,
    ):
        command = None
        if is_wanted() and closes_files and spare.is_ours():
            command = _command(arguments, executables, folder, environment, others)
        if command is None:
            return _fork_exec(
                arguments, executables, closes_files, kept, folder, environment, *others
            )
        (in_, _, _, out, _, err, _, failure) = others[:8]
        given = [
            own if own >= 0 else number for number, own in enumerate((in_, out, err))
        ]
        more = [number for number in kept if number != failure]
        command = replace(command, descriptors=[0, 1, 2, *more])
        return spare.start(command, [*given, *more])

    subprocess._fork_exec = start
    # The documented switch: there is one way in then, not two.
    subprocess._USE_POSIX_SPAWN = False


def _command(arguments, executables, folder, environment, others):
    (_, has_session, group, gid, gids, uid, umask, preexec_fn) = others[8:16]
    if (gid, gids, uid, umask, preexec_fn) != (None, None, None, -1, None):
        return None
    if os.fsdecode(executables[0]) != sys.executable:
        return None
    folder = os.path.abspath(os.fsdecode(folder or "."))
    if not os.path.isdir(folder):
        return None
    if environment is None:
        variables = dict(os.environ)
    else:
        pairs = (os.fsdecode(each).partition("=") for each in environment)
        variables = {name: value for name, _, value in pairs}
    command = parsed(arguments, folder, variables, sys.executable)
    if command is None:
        return None
    return replace(command, has_session=bool(has_session), group=group)
