"""Traces first, under the runner that the system tests leave out."""

from tests.commands import copied
from tests.system.stress.test_traces import find_what_is_left


def test_what_is_left_is_found_named_and_cured(tmp_path):
    find_what_is_left(copied("small", tmp_path), "pytest", "cases/test_leaving.py")
