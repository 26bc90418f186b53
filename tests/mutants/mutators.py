"""What is changed: each mutator takes a node and yields what may stand in its place."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["MUTATORS", "Change", "changes"]

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min"}
EMPTY = {
    ast.List: "[]",
    ast.ListComp: "[]",
    ast.Tuple: "()",
    ast.GeneratorExp: "()",
    ast.Dict: "{}",
    ast.DictComp: "{}",
    ast.Set: "set()",
    ast.SetComp: "set()",
}
TEXTS = (ast.Constant, ast.JoinedStr)


class Change(NamedTuple):
    """A node of the module, and the source text that takes its place."""

    mutator: str
    node: ast.AST
    text: str


def changes(node: ast.AST) -> Iterator[Change]:
    """Yield every change of a node itself, not of those inside it."""
    for name, mutator in MUTATORS.items():
        for changed, new in mutator(node):
            yield Change(name, changed, new if isinstance(new, str) else _text(new))


def _text(new: ast.expr | ast.stmt) -> str:
    text = ast.unparse(new)
    # It may land in an expression that binds closer.
    return f"({text})" if isinstance(new, ast.expr) else text


def _with(node, **fields):
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _comparison(node):
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            new = COMPARISONS[type(operator)]()
            yield (
                node,
                _with(node, ops=[*node.ops[:index], new, *node.ops[index + 1 :]]),
            )


def _connective(node):
    if isinstance(node, ast.BoolOp):
        other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield node, _with(node, op=other)


def _condition(node):
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        conditions = [node.test]
    else:
        conditions = node.ifs if isinstance(node, ast.comprehension) else []
    for each in conditions:
        is_negation = isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.Not)
        # Those are changed by themselves.
        if not is_negation and not (
            isinstance(each, ast.Compare) and len(each.ops) == 1
        ):
            yield each, ast.UnaryOp(ast.Not(), each)


def _not(node):
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, node.operand


def _number(node):
    if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
        yield node, repr(node.value + 1)
        yield node, repr(node.value - 1)


def _flag(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, repr(not node.value)


def _arithmetic(node):
    if isinstance(node, ast.BinOp):
        operands = (node.left, node.right)
    elif isinstance(node, ast.AugAssign):
        operands = (node.value,)
    else:
        return
    other = OPERATORS.get(type(node.op))
    if other is not None and not any(_is_text(each) for each in operands):
        yield node, _with(node, op=other())


def _is_text(node):
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def _function(node):
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in FUNCTIONS
    ):
        yield node.func, FUNCTIONS[node.func.id]


def _return(node):
    if (
        isinstance(node, ast.Return)
        and node.value is not None
        and not isinstance(node.value, TEXTS)
    ):
        yield node, f"return {EMPTY.get(type(node.value), 'None')}"


def _statement(node):
    if isinstance(node, ast.Expr):
        is_dropped = isinstance(node.value, ast.Call | ast.Await)
    elif isinstance(node, ast.Assign | ast.Delete):
        is_dropped = all(_is_kept(each) for each in node.targets)
    elif isinstance(node, ast.AnnAssign):
        is_dropped = node.value is not None and _is_kept(node.target)
    else:
        is_dropped = isinstance(node, ast.AugAssign | ast.Raise)
    if is_dropped:
        yield node, "pass"


def _is_kept(target):
    """Return whether a value outlives the function, or may."""
    return isinstance(target, ast.Attribute | ast.Subscript)


def _loop(node):
    if isinstance(node, ast.Break):
        yield node, "continue"
    elif isinstance(node, ast.Continue):
        yield node, "break"


def _default(node):
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = node.args
        for default in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
            if isinstance(default, ast.Constant):
                match default.value:
                    case bool():
                        yield default, repr(not default.value)
                    case int() | float():
                        yield default, repr(default.value + 1)
                    case str() if default.value:
                        yield default, '""'


def _except(node):
    """Leave an exception out where it is caught; of one none is left."""
    if isinstance(node, ast.ExceptHandler) and node.type is not None:
        caught = node.type
        if not isinstance(caught, ast.Tuple):
            yield caught, "()"
            return
        for index in range(len(caught.elts)):
            rest = [*caught.elts[:index], *caught.elts[index + 1 :]]
            yield caught, ast.unparse(_with(caught, elts=rest))
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in {
        "suppress",
        "contextlib.suppress",
    }:
        for index in range(len(node.args)):
            rest = [*node.args[:index], *node.args[index + 1 :]]
            yield node, _with(node, args=rest)


MUTATORS = {
    "comparison": _comparison,
    "connective": _connective,
    "condition": _condition,
    "not": _not,
    "number": _number,
    "flag": _flag,
    "arithmetic": _arithmetic,
    "function": _function,
    "return": _return,
    "statement": _statement,
    "loop": _loop,
    "default": _default,
    "except": _except,
}
"""Their names are part of the ids of mutants."""
