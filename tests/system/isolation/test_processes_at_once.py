"""Processes that run at the same time on one server: workers of a run, and two runs."""

import pytest

from tests.at_once import BUSY, SAMPLE, two_runs


@pytest.mark.parametrize(("way", "server"), SAMPLE)
def test_workers_have_sections_of_their_own(workers_apart, way, server):
    workers_apart(way, server)


def test_two_runs_at_once_on_one_server_do_not_meet(on_server):
    assert two_runs(on_server("redis_server", BUSY)) == (0, 0)


def test_with_isolation_off_the_same_two_runs_meet(on_server):
    project = on_server("redis_server", BUSY)
    off = {"CI_CACHE_ISOLATION": "off"}
    alone = project.manage("test", PYTHONPATH=".", **off)
    assert alone.returncode == 0, alone.stderr
    assert two_runs(project, **off) != (0, 0)
