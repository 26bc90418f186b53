"""Where a module may be changed: no texts, no annotations, nothing for readers only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

__all__ = ["Place", "sites"]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Defaults and caught exceptions are changed by way of the node that has them. What a
# raised error holds is a message.
NOT_ENTERED = {
    ast.AnnAssign: {"annotation"},
    ast.AsyncFunctionDef: {"args", "decorator_list", "returns", "type_params"},
    ast.ClassDef: {"bases", "decorator_list", "keywords", "type_params"},
    ast.ExceptHandler: {"type"},
    ast.FunctionDef: {"args", "decorator_list", "returns", "type_params"},
    ast.Lambda: {"args"},
    ast.Raise: {"cause", "exc"},
    ast.match_case: {"pattern"},
}
NAMES_LEFT_ALONE = {"__all__", "__slots__"}
LOGGERS = {"log", "logger", "logging"}
TYPING = {"NewType", "ParamSpec", "TypeVar", "cast"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is: lines of its statement's head, and of what holds that.

    ``is_at_import`` says that it runs when the module is imported.
    """

    statement: tuple[int, int]
    holder: tuple[int, int]
    is_at_import: bool = True


def sites(tree: ast.Module, lines: int) -> Iterator[tuple[ast.AST, Place]]:
    """Yield all nodes of a module that may be changed, in their order."""
    whole = (1, lines)
    yield from _walk(tree, Place(whole, whole))


def _walk(node: ast.AST, place: Place) -> Iterator[tuple[ast.AST, Place]]:
    if _is_left_alone(node):
        return
    if isinstance(node, ast.stmt):
        place = replace(place, statement=_head(node))
    if isinstance(node, FUNCTIONS):
        # Its defaults are made at import and used when it is called.
        place = replace(place, holder=_span(node))
    if not _is_for_types(node, "test"):
        yield node, place
    if isinstance(node, FUNCTIONS):
        place = replace(place, is_at_import=False)
    elif isinstance(node, ast.ClassDef) and place.is_at_import:
        place = replace(place, holder=_span(node))
    for child in _children(node):
        yield from _walk(child, place)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(node):
        if name in NOT_ENTERED.get(type(node), ()) or _is_for_types(node, name):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]):
            is_left = name in NAMES_LEFT_ALONE
        case ast.FunctionDef():
            is_left = any("overload" in ast.unparse(d) for d in node.decorator_list)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            is_left = name.strip("_").lower() in LOGGERS
        case ast.Call(func=ast.Name(id=name)):
            is_left = name in TYPING
        case (
            ast.Assert()
            | ast.JoinedStr()
            | ast.Call(func=ast.Attribute(attr="format" | "format_map"))
            | ast.keyword(arg="stacklevel")
            | ast.If(test=ast.Compare(left=ast.Name(id="__name__")))
        ):
            is_left = True
        case _:
            is_left = type(node).__name__ == "TypeAlias"
    return is_left


def _is_for_types(node: ast.AST, field: str) -> bool:
    return (
        isinstance(node, ast.If)
        and field != "orelse"
        and ast.unparse(node.test).endswith("TYPE_CHECKING")
    )


def _span(node: ast.AST) -> tuple[int, int]:
    return node.lineno, node.end_lineno


def _head(node: ast.stmt) -> tuple[int, int]:
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    if not body:
        return _span(node)
    first = getattr(body[0], "lineno", None) or body[0].pattern.lineno
    return node.lineno, max(node.lineno, first - 1)
