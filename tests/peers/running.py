"""A peer's virtual environment, and runs of its suites in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.peers import results
from tests.peers.catalogue import Peer, Runner, Suite
from tests.peers.results import Run
from tests.peers.sdists import Source
from tests.peers.servers import NoServer, Server, serving

__all__ = ["Broken", "Workshop"]

PROJECT = Path(__file__).parents[2]
INSIDE = Path(__file__).parent / "inside"
TIME_LIMIT = 1200
# What was meant for this process is not meant for the suites.
NOT_INHERITED = ("CI_CACHE_ISOLATION", "DJANGO_", "PYTEST_", "PYTHON", "VIRTUAL_ENV")


class Broken(Exception):  # noqa: N818 - it is what was found
    """A suite that can't be run, or did not run as it was meant to."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """All that the suites of one peer need. ``cache`` holds environments and logs."""

    peer: Peer
    source: Source
    cache: Path

    @property
    def python(self) -> Path:
        """The interpreter of the peer's virtual environment."""
        return self.cache / "venvs" / self.peer.name / "bin" / "python"

    def install(self) -> None:
        """Make the environment: the peer, what its tests need, and this project."""
        if not self.python.exists():
            self._uv("venv", "--clear", f"--python={sys.executable}", self._venv)
        name = self.peer.requirement.partition("~")[0]
        self._uv(
            *("pip", "install", f"--python={self.python}"),
            *("--reinstall-package=ci-cache-isolation", str(PROJECT)),
            *(f"{name}=={self.source.version}", *self.peer.installs),
        )

    def run(self, suite: Suite, *, isolated: bool) -> Run:
        """Run a suite once, with a fresh server."""
        folder = self.cache / "logs" / suite.name / ("on" if isolated else "off")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        record, log = folder / "record", folder / "log"
        with ExitStack() as stack:
            try:
                server = suite.server and stack.enter_context(serving(suite.server))
            except NoServer as error:
                raise Broken(f"{suite.name}: {error}") from error
            started = time.monotonic()
            with log.open("wb") as output:
                try:
                    subprocess.run(
                        self._command(suite, record, isolated=isolated),
                        cwd=self.source.folder,
                        env=self._environment(suite, server, isolated=isolated),
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        check=False,
                        timeout=TIME_LIMIT,
                    )
                except subprocess.TimeoutExpired as error:
                    raise Broken(f"{suite.name} hangs; see {log}") from error
            seconds = time.monotonic() - started
        read = results.from_junit if suite.runner is Runner.PYTEST else results.recorded
        try:
            found = read(record)
        except results.Unreadable as error:
            raise Broken(f"{suite.name}: {error}; see {log}") from error
        said_on = "cache isolation: on" in log.read_text(errors="replace").lower()
        if said_on != isolated:
            word = "on" if said_on else "off"
            raise Broken(f"{suite.name}: isolation was {word}, unasked for; see {log}")
        return Run(results.without_marker(found, suite.marker), seconds)

    def _command(self, suite: Suite, record: Path, *, isolated: bool) -> list[str]:
        python = str(self.python)
        if suite.runner is Runner.DJANGO:
            return [python, str(INSIDE / "recorder.py"), str(record), *suite.arguments]
        switch = "--cache-isolation" if isolated else "--no-cache-isolation"
        return [
            *(python, "-m", "pytest", switch, f"--junit-xml={record}"),
            # Their own options ask for coverage and for workers.
            *("--override-ini=addopts=", "-pno:cacheprovider", "-pno:randomly"),
            *suite.arguments,
        ]

    def _environment(
        self, suite: Suite, server: Server | None, *, isolated: bool
    ) -> dict[str, str]:
        by_settings = isolated and suite.runner is Runner.DJANGO
        settings = "peers_isolated" if by_settings else "peers_plain"
        ours = {
            "DJANGO_SETTINGS_MODULE": settings,
            "PYTHONPATH": str(INSIDE),
            "PEERS_SETTINGS": suite.settings,
        }
        if server is not None:
            ours |= {
                "PEERS_SOCKET": str(server.socket),
                "PEERS_PORT": str(server.port),
                "PEERS_BACKEND": suite.backend,
                "PEERS_LOCATION": suite.location.format(socket=server.socket),
            }
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(NOT_INHERITED)
        }
        return inherited | ours

    @property
    def _venv(self) -> str:
        return str(self.python.parents[1])

    def _uv(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "uv", "--quiet", *arguments],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Broken(f"{self.peer.name} can't be installed:\n{done.stderr}")
