"""The peers' source distributions: fetched by pip, kept, unpacked."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.peers.catalogue import Peer

__all__ = ["NoTests", "Source", "unpacked"]


class NoTests(Exception):  # noqa: N818 - it is what was found
    """An sdist that can't be had, or has no tests in it."""


@dataclass(frozen=True, slots=True)
class Source:
    """An unpacked sdist."""

    folder: Path
    version: str


def unpacked(peer: Peer, cache: Path, *, fetch: bool) -> Source:
    """Return a peer's sdist; what is kept will do unless ``fetch`` asks for newer."""
    kept = cache / "sdists" / peer.name
    if fetch or not list(kept.glob("*.tar.gz")):
        shutil.rmtree(kept, ignore_errors=True)
        _download(peer, kept)
    [archive] = kept.glob("*.tar.gz")
    folder = kept / archive.name.removesuffix(".tar.gz")
    if not folder.exists():
        with tarfile.open(archive) as tar:
            tar.extractall(kept, filter="data")
        for path, old, new in peer.rewrites:
            test = folder / path
            test.write_text(test.read_text("utf-8").replace(old, new), "utf-8")
    if not (folder / peer.tests).is_dir():
        raise NoTests(
            f"{archive.name} has no tests in it. Ask for a version that has, "
            "in tests/peers/catalogue.py."
        )
    return Source(folder, version=folder.name.rpartition("-")[2])


def _download(peer: Peer, folder: Path) -> None:
    name = peer.requirement.partition("~")[0]
    done = subprocess.run(
        # Of this package alone the sdist: building it may need others' wheels.
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *(f"--no-binary={name}", f"--dest={folder}", peer.requirement),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise NoTests(f"pip can't download {peer.requirement}:\n{done.stderr}")
