"""A hundred forks leave nothing anywhere, whatever is ended and by which signal."""

import signal

import pytest

from tests.served import forks_leave_nothing
from tests.system.running.test_fork_leftovers import client_that_is_ended, killed_server

pytestmark = pytest.mark.fresh_interpreter(
    "looks at a session's processes and what they have open; a spare is one too"
)


def test_a_hundred_forks_leave_nothing(served_on_servers):
    forks_leave_nothing(served_on_servers, 100)


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_a_client_that_is_ended_leaves_nothing(served_on_servers, tmp_path, ended_by):
    client_that_is_ended(served_on_servers, tmp_path, ended_by)


def test_what_a_killed_server_leaves_is_gone_after_the_next_run(served_on_servers):
    killed_server(served_on_servers)
