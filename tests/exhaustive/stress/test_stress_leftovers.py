"""A hundred orders leave nothing but their report."""

from tests.leftovers import orders_leave_nothing, small_on_redis


def test_a_hundred_orders_leave_nothing(tmp_path, redis_server):
    small = small_on_redis(tmp_path, redis_server)
    orders_leave_nothing(small, redis_server, 100)
