"""What JSON has to look like: whatever it is, it is refused in words, or it fits."""

import enum
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation.running import shapes
from ci_cache_isolation.running.shapes import ShapeError


class Colour(enum.StrEnum):
    RED = "red"


SHAPES = [
    shapes.argument,
    shapes.both(shapes.text, shapes.exactly("x")),
    shapes.choice(Colour),
    shapes.choice(["x", "y"]),
    shapes.either(shapes.flag, shapes.real(-1)),
    shapes.exactly(1),
    shapes.fixed(shapes.text, shapes.flag),
    shapes.flag,
    shapes.items(shapes.whole(), least=1),
    shapes.maybe(shapes.text),
    shapes.record({"a": shapes.text}, {"b": shapes.flag}, is_whole=True),
    shapes.table(shapes.items(shapes.text)),
    shapes.whole(1, 3),
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["x", "red", 1, 2])
)
NAMES = st.sampled_from("abc") | st.text(st.characters())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)
)


def refused(call, *arguments):
    """Return why something is refused; nothing if it fits."""
    try:
        call(*arguments)
    except ShapeError as error:
        return str(error)
    return ""


@given(VALUES, st.sampled_from(SHAPES))
def test_whatever_it_is_it_fits_or_is_refused_in_words(value, shape):
    found = refused(shape, value, "here")
    assert found[:4] in {"", "here"}
    assert found.isprintable()
    assert len(found) < 300


@given(st.text(st.characters()) | VALUES.map(json.dumps))
def test_whatever_a_file_says_it_can_be_written_again_or_is_refused(words):
    found = refused(shapes.parsed, words)
    assert found.isprintable()
    if not found:
        json.dumps(shapes.parsed(words), indent=2, allow_nan=False)


FLAG = shapes.flag
REFUSED = r" is '\ud800', not a text that a program can be given"


@pytest.mark.parametrize(
    ("shape", "value", "found"),
    [
        (shapes.text, 3, " is 3, not a text"),
        (shapes.argument, "\0", r" is '\x00', not a text that a program can be given"),
        (
            shapes.argument,
            "\ud800",
            r" is '\ud800', not a text that a program can be given",
        ),
        (shapes.whole(1, 3), True, " is true, not a whole number from 1 to 3"),
        (shapes.whole(1, 3), 4, " is 4, not a whole number from 1 to 3"),
        (shapes.real(), float("nan"), " is nan, not a number from 0 on"),
        (shapes.items(FLAG), [True, None], "[1] is null, not true or false"),
        (shapes.fixed(FLAG), [], " is [], not a list of 1"),
        (shapes.table(FLAG), {"a": 1}, "['a'] is 1, not true or false"),
        (shapes.record({"a": FLAG}), {}, " lacks 'a'"),
        (shapes.record({"a": FLAG}), {"a": 1}, ".a is 1, not true or false"),
        (shapes.record({}, is_whole=True), {"z": 1}, " holds 'z', which is unknown"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(shape, value, found):
    assert refused(shape, value, "here") == f"here{found}"
