"""What JSON has to look like: whatever it is, it is refused in words, or it fits."""

import enum
import json
from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation.running import json_files
from ci_cache_isolation.running.checked_types import Amount, Count, Group, Workers
from ci_cache_isolation.running.json_files import FileError, as_type


class Colour(enum.StrEnum):
    RED = "red"


class Row(TypedDict):
    a: str
    b: NotRequired[bool]


@dataclass
class Inner:
    c: int = 0


@dataclass
class Outer:
    a: bool
    b: Inner


TYPES = [
    *(str, bool, Amount, Count, Group, Workers, Colour, Row, Outer),
    *(Literal["x", "y"], Literal[1], bool | Amount, str | None),
    *(tuple[str, bool], list[Count], dict[str, list[str]]),
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
    except FileError as error:
        return str(error)
    return ""


@given(VALUES, st.sampled_from(TYPES))
def test_whatever_it_is_it_fits_or_is_refused_in_words(value, kind):
    found = refused(as_type, value, kind)
    assert found.isprintable()
    assert len(found) < 300


@given(st.text(st.characters()) | VALUES.map(json.dumps))
def test_whatever_a_file_says_it_can_be_written_again_or_is_refused(words):
    found = refused(json_files.parsed, words)
    assert found.isprintable()
    if not found:
        json.dumps(json_files.parsed(words), indent=2, allow_nan=False)


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        (str, 3, "Expected `str`, got `int`"),
        (Row, {"a": 3}, "Expected `str`, got `int` - at `$.a`, which is 3"),
        (list[Workers], [0], "Expected `int` >= 1 - at `$[0]`, which is 0"),
        (
            list[Workers],
            [1025],
            "Expected `int` <= 1024 - at `$[0]`, which is 1025",
        ),
        (
            list[Workers],
            [True],
            "Expected `int`, got `bool` - at `$[0]`, which is true",
        ),
        (
            list[Amount],
            [float("nan")],
            "Expected `float` >= 0.0 - at `$[0]`, which is nan",
        ),
        (
            list[bool],
            [True, None],
            "Expected `bool`, got `null` - at `$[1]`, which is null",
        ),
        (
            list[Colour],
            ["\x1b[2J"],
            r"Expected one of red - at `$[0]`, which is '\x1b[2J'",
        ),
        (list[Literal[1]], [2], "Expected one of 1 - at `$[0]`, which is 2"),
        (list[Group], [[]], "Expected `array` of length >= 1 - at `$[0]`"),
        (tuple[bool], [], "Expected `array` of length 1, got 0"),
        (dict[str, bool], {"a": 1}, "Expected `bool`, got `int` - at `$[...]`"),
        (
            dict[str, list[bool]],
            {"a": [1]},
            "Expected `bool`, got `int` - at `$[...][0]`",
        ),
        (Row, {}, "Object missing required field `a`"),
        (list[Row], [{}], "Object missing required field `a` - at `$[0]`"),
        (Row, {"\ud800": 1}, r"Object contains unknown field '\ud800'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(kind, value, found):
    assert refused(as_type, value, kind) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"a": True, "b": {"c": 1}}, ""),
        ({"a": True, "b": {}}, "Object missing required field 'c' - at `$.b`"),
        (
            {"a": True, "b": {"c": 1, "z": 1}},
            "Object contains unknown field 'z' - at `$.b`",
        ),
        (
            {"\x1b": 1, "a": True, "b": {"c": 1}},
            r"Object contains unknown field '\x1b' - at `$`",
        ),
    ],
)
def test_a_name_too_many_or_too_few_is_refused(value, found):
    made = as_type(value, Outer)
    assert refused(json_files.check_names, value, made) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"schema": 2, "a": 1}, ""),
        ({"a": 1}, "Object missing required field `schema`"),
        ({"schema": 3}, "schema is 3, not 2"),
        ([], "Expected `object`, got `array`"),
    ],
)
def test_another_version_is_refused_first(value, found):
    assert refused(lambda: json_files.checked_object(value, schema=2)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-x", ""),
        ("\0", r"'\x00' can't be an argument of a program"),
        ("\ud800", r"'\ud800' can't be an argument of a program"),
    ],
)
def test_a_text_that_no_program_can_be_given_is_refused(text, found):
    assert refused(json_files.check_arguments, "a", text) == found
