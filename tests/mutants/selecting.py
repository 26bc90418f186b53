"""Which mutants are tried: as many of each package, evenly over its modules, seeded.

A greater number with the same seed begins with the same mutants.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from tests.mutants.mutant import Mutant

__all__ = ["PACKAGES", "select", "sharded"]

PACKAGES = ("isolation", "evidence", "judging", "audit", "stress", "running")


def select(
    mutants: Iterable[Mutant],
    number: int,
    seed: int,
    is_real: Callable[[Mutant], bool] = lambda _: True,
) -> list[Mutant]:
    """Choose so many mutants that are real ones, as evenly as there are any."""
    packages: dict[str, dict[str, list[Mutant]]] = {}
    for mutant in mutants:
        modules = packages.setdefault(mutant.package, {})
        modules.setdefault(mutant.module, []).append(mutant)
    chosen = _in_turn(
        [
            filter(is_real, _of_package(modules, f"{seed}:{package}"))
            for package, modules in sorted(packages.items())
        ]
    )
    return list(islice(chosen, number))


def sharded(mutants: Sequence[Mutant], part: int, parts: int) -> list[Mutant]:
    """Return one of so many parts, the first of which is 1."""
    return list(mutants[part - 1 :: parts])


def _of_package(modules: Mapping[str, Sequence[Mutant]], seed: str) -> Iterator[Mutant]:
    names = sorted(modules)
    random.Random(seed).shuffle(names)
    return _in_turn([_of_module(modules[name], f"{seed}:{name}") for name in names])


def _of_module(mutants: Sequence[Mutant], seed: str) -> Iterator[Mutant]:
    """Yield mutants of each mutator in turn: most lines could lose a statement."""
    chance = random.Random(seed)
    kinds: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        kinds.setdefault(mutant.mutator, []).append(mutant)
    shuffled = [kinds[name] for name in sorted(kinds)]
    chance.shuffle(shuffled)
    for each in shuffled:
        chance.shuffle(each)
    return _in_turn([iter(each) for each in shuffled])


def _in_turn(iterators: Sequence[Iterator[Mutant]]) -> Iterator[Mutant]:
    waiting = list(iterators)
    while waiting:
        for each in list(waiting):
            found = next(each, None)
            if found is None:
                waiting.remove(each)
            else:
                yield found
