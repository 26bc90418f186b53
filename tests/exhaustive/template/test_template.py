"""The template: what it makes of each row of answers."""

import pytest

from tests.generated import rows
from tests.generated.diagnosed import assert_doctor_finds_nothing
from tests.generated.twice import assert_the_same_twice

ROWS = rows.all_rows()


@pytest.mark.parametrize("row", ROWS, ids=map(rows.name_of, ROWS))
def test_generated_twice_is_byte_identical_and_holds_nothing_of_the_machine(
    tmp_path, row
):
    assert_the_same_twice(row, tmp_path)


@pytest.mark.parametrize("row", ROWS, ids=map(rows.name_of, ROWS))
def test_doctor_finds_nothing_amiss_in_a_generated_project(tmp_path, row):
    assert_doctor_finds_nothing(row, tmp_path)
