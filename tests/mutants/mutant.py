"""A mutant: a module of the package with one small error in it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

from tests.mutants.mutators import changes
from tests.mutants.sites import sites

__all__ = ["PACKAGE", "Mutant", "differs", "mutants_of"]

PACKAGE = "ci_cache_isolation"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. ``span`` is in bytes, ``lines`` and ``statement`` are the first and
    the last line of what is changed and of its statement's head, ``holder`` those of
    the function, class or module around what runs at import.
    """

    id: str
    path: str
    mutator: str
    span: tuple[int, int]
    text: str
    lines: tuple[int, int]
    statement: tuple[int, int]
    holder: tuple[int, int]
    is_at_import: bool

    @property
    def package(self) -> str:
        """The package below ours that it is in."""
        return self.path.split("/")[1]

    @property
    def module(self) -> str:
        """The dotted name, without the package's own."""
        return self.id.partition(":")[0]

    def applied(self, source: str) -> str:
        """Return the module's source with the change; every line keeps its number."""
        encoded = source.encode()
        start, end = self.span
        text = self.text
        lost = "\n" * encoded[start:end].count(b"\n")
        # Within brackets a line may end anywhere.
        text = f"{text[:-1]}{lost})" if text.endswith(")") else text + lost
        return (encoded[:start] + text.encode() + encoded[end:]).decode()

    def before(self, source: str) -> str:
        """Return the lines that are changed."""
        return _shown(source.split("\n")[self.lines[0] - 1 : self.lines[1]])

    def after(self, source: str) -> str:
        """Return what these lines become."""
        return self.before(self.applied(source))


def mutants_of(source: str, path: str) -> Iterator[Mutant]:
    """Yield every mutant of a module; some may be equal to it, or not compile."""
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    module = name.removeprefix(f"{PACKAGE}.")
    lines = source.encode().split(b"\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    seen: Counter[str] = Counter()
    for node, place in sites(ast.parse(source), len(lines)):
        for change in changes(node):
            target = change.node
            found = f"{module}:{target.lineno}:{change.mutator}"
            seen[found] += 1
            number = f".{seen[found]}" if seen[found] > 1 else ""
            yield Mutant(
                id=found + number,
                path=path,
                mutator=change.mutator,
                span=(
                    starts[target.lineno - 1] + target.col_offset,
                    starts[target.end_lineno - 1] + target.end_col_offset,
                ),
                text=change.text,
                lines=(target.lineno, target.end_lineno),
                statement=place.statement,
                holder=place.holder,
                is_at_import=place.is_at_import or change.mutator == "default",
            )


def differs(mutant: Mutant, source: str) -> bool:
    """Return whether a mutant can be compiled, to something else than its source."""
    try:
        changed = compile(mutant.applied(source), mutant.path, "exec")
    except SyntaxError:
        return False
    return _essence(changed) != _essence(compile(source, mutant.path, "exec"))


def _essence(code: CodeType) -> tuple[object, ...]:
    """Return what code does, without where it is written."""
    constants = tuple(
        _essence(each) if isinstance(each, CodeType) else (type(each), repr(each))
        for each in code.co_consts
    )
    return (
        code.co_code,
        code.co_exceptiontable,
        code.co_flags,
        code.co_names,
        code.co_varnames,
        constants,
    )


def _shown(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines if line.strip())
