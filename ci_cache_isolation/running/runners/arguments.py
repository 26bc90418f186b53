"""The options among a user's arguments, for a command that names other tests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

__all__ = ["Options", "has_options"]


def has_options(arguments: Sequence[str]) -> bool:
    """Return whether any argument is no label: an option, or a file of them.

    pytest reads more arguments from a file after an @.
    """
    return any(each.startswith(("-", "@")) for each in arguments)


@dataclass(frozen=True, slots=True)
class Options:
    """What is known of a runner's options. One of a plugin's is taken to stand alone.

    ``valued`` ones take the next argument as their value, ``unwanted`` ones are left
    out.
    """

    valued: Collection[str]
    unwanted: Collection[str]

    def among(self, arguments: Sequence[str]) -> list[str]:
        """Return the options with their values, and none of the tests."""
        kept: list[str] = []
        waiting = list(arguments)
        while waiting and waiting[0] != "--":
            option = waiting.pop(0)
            # What follows an unwanted one, and its value may, is left out like a test.
            if option.startswith("-") and option.partition("=")[0] not in self.unwanted:
                kept.append(option)
                if waiting and option in self.valued:
                    kept.append(waiting.pop(0))
        return kept
