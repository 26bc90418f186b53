"""Records: what a named tuple is to its readers."""

import pytest

from ci_cache_isolation.isolation.records import Record


class Place(Record):
    """For these tests."""

    street: str
    number: int = 1


class Other(Record):
    """Has the same fields."""

    street: str
    number: int = 1


@pytest.mark.parametrize(
    "made",
    [Place("a", 1), Place("a"), Place("a", number=1), Place(number=1, street="a")],
)
def test_fields_are_given_by_place_or_by_name(made):
    assert (made.street, made.number) == ("a", 1)
    assert made == Place("a")
    assert hash(made) == hash(Place("a"))
    assert repr(made) == "Place(street='a', number=1)"


@pytest.mark.parametrize("other", [Place("a", 2), Place("b"), Other("a"), ("a", 1)])
def test_what_differs_is_not_equal(other):
    assert Place("a") != other


@pytest.mark.parametrize(("values", "named"), [(("a", 1, 2), {}), ((), {"town": "c"})])
def test_what_is_no_field_is_refused(values, named):
    with pytest.raises(TypeError, match="Place has the fields street, number"):
        Place(*values, **named)


@pytest.mark.parametrize("named", [{}, {"number": 2}])
def test_a_field_without_a_default_has_to_be_given(named):
    with pytest.raises(TypeError, match="Place lacks street"):
        Place(**named)
