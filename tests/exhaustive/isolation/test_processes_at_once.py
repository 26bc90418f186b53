"""Processes that run at the same time on one server: other pairs, and many times."""

import pytest

from tests.at_once import BUSY, CASES, SAMPLE, two_runs


@pytest.mark.parametrize(
    ("way", "server"), [case for case in CASES if case not in SAMPLE]
)
def test_workers_have_sections_of_their_own(workers_apart, way, server):
    workers_apart(way, server)


def test_two_runs_at_once_on_one_server_do_not_meet_in_ten_times(on_server):
    project = on_server("redis_server", BUSY)
    assert [two_runs(project) for _ in range(10)] == [(0, 0)] * 10
