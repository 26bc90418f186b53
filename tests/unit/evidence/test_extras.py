"""Where the extras of clients have their arguments."""

import inspect

import pytest
from django_redis.cache import RedisCache
from django_valkey.cache import ValkeyCache

from ci_cache_isolation.evidence.extras import _VERSION_AT


@pytest.mark.parametrize("operation", _VERSION_AT)
@pytest.mark.parametrize("backend", [RedisCache, ValkeyCache])
def test_the_version_of_a_search_is_where_the_client_has_it(backend, operation):
    # django-redis hands all arguments on to its client.
    method = getattr(backend, operation)
    if "version" not in inspect.signature(method).parameters:
        from django_redis.client import DefaultClient  # noqa: PLC0415

        method = getattr(DefaultClient, operation)
    parameters = list(inspect.signature(method).parameters)
    assert parameters.index("version") - 1 == _VERSION_AT[operation]
