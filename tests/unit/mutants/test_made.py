"""How ``nox -s mutants`` changes modules, and which of its mutants it chooses."""

import ast
from pathlib import Path

import pytest

from tests.mutants.mutant import differs, mutants_of
from tests.mutants.selecting import select, sharded

PACKAGE = Path(__file__).parents[3] / "ci_cache_isolation"
PATH = "ci_cache_isolation/stress/rows.py"
FUNCTION = "def f(a, b):\n    {}\n"
LEFT_ALONE = '''
"""A docstring, 1."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from a import b
    c = 1
__all__ = ["f", 1 + 1]
TEXT = "1 < 2"
class C(Base, flag=True):
    """One."""
    __slots__ = ("a", "b")
    size: Annotated[int, 1]
@decorated(1)
def f(a: Literal[1, True], *, b: "1") -> Literal[1]:
    """Two."""
    assert a < 1
    logger.warning("%s", 1)
    log = cast(Literal[1], a)
    said = TEXT.format(1 + a)
    raise ValueError(f"{a + 1} of {b < 2}", 1) from (a or b)
'''


def changed(statement):
    source = FUNCTION.format(statement)
    return {
        each.applied(source).split("\n", 1)[1].strip()
        for each in mutants_of(source, PATH)
        if differs(each, source)
    }


@pytest.mark.parametrize(
    ("statement", "mutants"),
    [
        ("x = a < b", {"x = (a <= b)"}),
        ("x = a == b", {"x = (a != b)"}),
        ("x = a is b", {"x = (a is not b)"}),
        ("x = a < b in c", {"x = (a <= b in c)", "x = (a < b not in c)"}),
        ("x = a or b", {"x = (a and b)"}),
        ("x = not a", {"x = (a)"}),
        ("x = a + b", {"x = (a - b)"}),
        ("a += b", {"a -= b", "pass"}),
        ("x = 3", {"x = 4", "x = 2"}),
        ("x = 0.5", {"x = 1.5", "x = -0.5"}),
        ("x = True", {"x = False"}),
        ("x = any(a)", {"x = all(a)"}),
        ("return a", {"return None"}),
        ("return [a]", {"return []"}),
        ("return {a: b}", {"return {}"}),
        ("return None", set()),
        ('return f"{a}"', set()),
        ("a.b = b", {"pass"}),
        ("a[b] = b", {"pass"}),
        ("x = b", set()),
        ("a()", {"pass"}),
        ("yield a()", set()),
        ("del a[b]", {"pass"}),
        ("raise a", {"pass"}),
        ("x = a if b else 'c'", {"x = a if (not b) else 'c'"}),
        ("x = [c for c in a if c]", {"x = [c for c in a if (not c)]"}),
        ("x = 'a' + b", set()),
        (
            "with suppress(A, B): pass",
            {"with (suppress(A)): pass", "with (suppress(B)): pass"},
        ),
    ],
)
def test_a_statement_is_changed_in_each_way_that_means_something(statement, mutants):
    assert changed(statement) == mutants


def test_a_loop_goes_on_where_it_ended_and_ends_where_it_went_on():
    loop = "for c in a:\n        if b: {}\n        c.d()"

    assert loop.format("continue") in changed(loop.format("break"))
    assert loop.format("break") in changed(loop.format("continue"))


def test_an_exception_is_left_out_where_it_is_caught():
    caught = "try: a.b()\n    except {}: b = a"

    assert caught.format("()") in changed(caught.format("OSError"))
    assert {caught.format("(A,)"), caught.format("(B,)")} <= changed(
        caught.format("(A, B)")
    )


def test_a_default_is_changed_and_belongs_to_its_function():
    source = 'x = 1\ndef f(a=2, *, b=True, c=None, d="e"):\n    return\n'
    mutants = [each for each in mutants_of(source, PATH) if each.mutator == "default"]

    assert [each.text for each in mutants] == ["3", "False", '""']
    assert {(each.holder, each.is_at_import) for each in mutants} == {((2, 3), True)}


def test_texts_annotations_and_what_is_for_readers_only_stay_as_they_are():
    found = list(mutants_of(LEFT_ALONE, PATH))

    assert [each.id for each in found] == ["stress.rows:20:statement"]
    assert found[0].before(LEFT_ALONE).startswith("raise")


@pytest.mark.parametrize(
    "statement",
    [
        "x = (\n        a\n        or b\n    )  # why",
        "return [\n        a,\n    ]  # why",
        "a.b(\n        a,\n    )  # why",
        "if (\n        a\n        and b\n    ):\n        b = [\n  a < b\n  ]",
    ],
)
def test_every_line_keeps_its_number(statement):
    source = FUNCTION.format(statement) + "marked\n"

    for each in mutants_of(source, PATH):
        after = each.applied(source)
        assert after.count("\n") == source.count("\n")
        assert ast.parse(after).body[-1].lineno == ast.parse(source).body[-1].lineno


def test_what_is_behind_letters_of_several_bytes_is_found():
    assert changed("x = 'ä…'; y = a < b") == {"x = 'ä…'; y = (a <= b)"}


@pytest.mark.parametrize(
    "path", ["isolation/keys.py", "judging/chance.py", "evidence/account.py"]
)
def test_mutants_of_a_module_compile_and_are_no_more_equal_than_a_few(path):
    source = (PACKAGE / path).read_text()
    mutants = list(mutants_of(source, f"ci_cache_isolation/{path}"))

    real = [each for each in mutants if differs(each, source)]

    for each in mutants:
        ast.parse(each.applied(source))
    assert len(real) > 0.9 * len(mutants) > 40
    assert len({each.id for each in mutants}) == len(mutants)


def test_a_module_is_cut_into_what_runs_at_import_and_what_is_called():
    source = (
        "class C:\n    a = 1\n    def f(self):\n"
        "        if self and (\n            1\n        ):\n            return 2\n"
    )
    found = {each.id: each for each in mutants_of(source, PATH)}

    constant = found["stress.rows:2:number"]
    assert (constant.is_at_import, constant.holder) == (True, (1, 7))
    number = found["stress.rows:5:number"]
    assert (number.is_at_import, number.lines) == (False, (5, 5))
    assert number.statement == (4, 6)


@pytest.fixture
def many():
    source = "def f(a):\n" + 16 * "    b = not a\n" + 4 * "    b = any(a)\n"
    return [
        mutant
        for package, modules in {"audit": "ab", "stress": "cdef"}.items()
        for module in modules
        for mutant in mutants_of(source, f"ci_cache_isolation/{package}/{module}.py")
    ]


def test_a_choice_is_stable_and_begins_like_a_smaller_one(many):
    chosen = select(many, 20, seed=1)

    assert chosen == select(iter(many), 20, seed=1)
    assert chosen[:7] == select(many, 7, seed=1)
    assert chosen != select(many, 20, seed=2)
    assert len(set(chosen)) == 20


def test_a_choice_is_even_over_packages_modules_and_mutators(many):
    chosen = select(many, 32, seed=1)

    def number(**of):
        return sum(
            all(getattr(each, name) == value for name, value in of.items())
            for each in chosen
        )

    assert number(package="audit") == number(package="stress") == 16
    assert number(module="audit.a") == number(module="audit.b") == 8
    assert number(module="stress.c") == number(module="stress.f") == 4
    assert number(module="stress.c", mutator="function") == 2


def test_a_choice_leaves_out_what_is_no_mutant(many):
    chosen = select(many, 40, 1, lambda each: not each.id.startswith("audit.a"))

    assert {each.module for each in chosen if each.package == "audit"} == {"audit.b"}


def test_shards_are_parts_of_the_whole(many):
    parts = [sharded(many, part, 3) for part in (1, 2, 3)]

    assert sorted(each.id for part in parts for each in part) == sorted(
        each.id for each in many
    )
