"""What forks on servers do, under the runner that the system tests leave out."""

import pytest

from tests.system.running.test_forks_server import (
    BACKENDS,
    do_not_meet,
    own_server,
    spoil_themselves_only,
)

__all__ = ["own_server"]


@pytest.mark.parametrize(
    ("served", "own_server", "backend"),
    [
        ("pytest", "redis", f"{BACKENDS}.redis.RedisCache"),
        ("django", "redis", "django_redis.cache.RedisCache"),
        ("django", "memcached", f"{BACKENDS}.memcached.PyMemcacheCache"),
        ("pytest", "memcached", f"{BACKENDS}.memcached.PyLibMCCache"),
    ],
    indirect=["served", "own_server"],
)
def test_forks_at_once_do_not_meet_on_a_server(served, own_server, backend):
    do_not_meet(served, own_server, backend)


@pytest.mark.parametrize("served", ["django"], indirect=True)
def test_what_dies_or_hangs_spoils_itself_only(served, redis_server):
    spoil_themselves_only(served, redis_server)
