"""Processes for tests without an interpreter's start: forks of one that is prepared.

``manage.py test`` or pytest in a fresh interpreter takes 1 to 2 seconds, most of it to
import Django, pytest and the clients. Here one process imports them, no settings, and
waits: the *spare*. Whatever a test starts as ``[sys.executable, ...]`` becomes a copy
of it, a tenth of the time, and so does what that process starts in its turn, since
each takes a spare of its own along before it changes anything.

It is a real process, and a real child of whoever started it (Linux's ``CLONE_PARENT``):
``Popen``, signals, sessions, exit codes and file descriptors are as they always are.
What a prepared process can't stand for gets a fresh interpreter, see `commands.py`;
so do tests that are marked ``fresh_interpreter("why")``, and all with ``--fresh``.
"""
