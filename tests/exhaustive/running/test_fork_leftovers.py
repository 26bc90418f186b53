"""A hundred forks leave nothing anywhere."""

from tests.served import forks_leave_nothing


def test_a_hundred_forks_leave_nothing(served_on_servers):
    forks_leave_nothing(served_on_servers, 100)
