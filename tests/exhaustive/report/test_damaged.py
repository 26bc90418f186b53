"""Every fault of a report, beyond those of the unit tests."""

import pytest

from tests.unit.report.test_damaged import PIECES, SOME, refuse_or_show


@pytest.mark.parametrize("piece", sorted({*range(PIECES)} - {*SOME}))
def test_one_with_a_fault_is_refused_in_a_sentence_or_can_be_shown(piece, tmp_path):
    refuse_or_show(piece, tmp_path)
