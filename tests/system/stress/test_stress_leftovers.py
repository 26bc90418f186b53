"""A stress run leaves nothing but its report, however it ends."""

import os
import signal
import time

import pytest

from tests.leftovers import (
    OPTIONS,
    files_of,
    keys_on,
    left,
    orders_leave_nothing,
    small_on_redis,
    variables,
)


@pytest.fixture
def small(tmp_path, redis_server):
    return small_on_redis(tmp_path, redis_server)


def test_some_orders_leave_nothing(small, redis_server):
    orders_leave_nothing(small, redis_server, 6)


def test_an_interrupted_run_leaves_nothing(small, redis_server):
    before = files_of(small)
    labels = ("cases.test_leaking", "cases.test_hanging")
    orders = ("--orders", "100")
    process = small.started(*OPTIONS, *orders, *labels, **variables(small))
    while not (small.folder / "pid").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    files, processes = left(small, before)
    # The test that hangs writes them itself.
    assert {path.stem for path in files} == {"pid"}
    assert processes == []
    assert keys_on(redis_server) == []
