"""The locks of the package, found in its source."""

import ast
from pathlib import Path

import ci_cache_isolation

PACKAGE = Path(ci_cache_isolation.__file__).parent


def locks_of_the_package():
    """Return where locks are kept: class or module, and attribute.

    Fails for one that is not kept where `new_lock` makes it new.
    """
    return {lock for path in PACKAGE.rglob("*.py") for lock in _locks_in(path)}


def _locks_in(path):
    tree = ast.parse(path.read_text())
    for owner in [tree, *ast.walk(tree)]:
        if isinstance(owner, ast.ClassDef):
            yield from _kept_by(owner.name, ast.walk(owner))
        elif isinstance(owner, ast.Module):
            yield from _kept_by(path.stem, owner.body)


def _kept_by(owner, nodes):
    for node in nodes:
        if isinstance(node, ast.Assign) and _makes_lock(node.value):
            (target,) = node.targets
            name = node.value.args[1].value
            assert ast.unparse(target) in {name, f"self.{name}"}
            yield owner, name


def _makes_lock(value):
    return isinstance(value, ast.Call) and ast.unparse(value.func) == "new_lock"
