"""What every runner can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

__all__ = ["Runner"]


class Runner(ABC):
    """A way of running a project's tests, from the project's folder."""

    name: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name

    @classmethod
    @abstractmethod
    def fits(cls, folder: Path) -> bool:
        """Return whether a project's files say that its tests are run this way."""

    @abstractmethod
    def settings(self) -> str:
        """Return the dotted name of the tests' settings, empty where none is known."""

    @abstractmethod
    def own_command(self, labels: Sequence[str]) -> list[str]:
        """Return the command that users type themselves."""

    @abstractmethod
    def command(self, labels: Sequence[str], processes: int) -> list[str]:
        """Return the user's own test command, with our ordering put into it.

        ``processes`` is the number of workers that the run is split over, 1 for none.
        """

    @abstractmethod
    def replay_command(self, tests: Sequence[str], labels: Sequence[str]) -> list[str]:
        """Return the user's own command for a few tests, in this sequence.

        The options among ``labels`` stay, as those that name the settings. It is empty
        where the user's command can't be given the names of tests.
        """

    @abstractmethod
    def failed_in(self, printed: str) -> list[str]:
        """Return the tests that a run says have failed, as far as they are named."""

    @abstractmethod
    def fork_command(self, labels: Sequence[str]) -> list[str]:
        """Return the user's own test command, as a server of forks in its place."""

    def found_no_tests(self, exit_code: int) -> bool:  # noqa: ARG002
        """Return whether this exit code means that; the record may say it too."""
        return False

    def missing(self) -> str:
        """Return what is not installed without which nothing can be run here."""
        return ""

    def why_no_split(self) -> str:
        """Return why a run can't be split over workers here, empty if it can."""
        return ""
