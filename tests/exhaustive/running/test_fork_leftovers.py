"""A hundred forks leave nothing anywhere."""

import pytest

from tests.served import forks_leave_nothing

pytestmark = pytest.mark.fresh_interpreter(
    "looks at a session's processes and what they have open; a spare is one too"
)


def test_a_hundred_forks_leave_nothing(served_on_servers):
    forks_leave_nothing(served_on_servers, 100)
