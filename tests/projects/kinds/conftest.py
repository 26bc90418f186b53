"""Orders of one's own, and a database for all fixtures where caches need it."""

import os

import pytest
from kinds.stores import ALLOWED


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    if "KINDS_REVERSE" in os.environ:
        items.reverse()


if ALLOWED:

    @pytest.fixture(scope="session", autouse=True)
    def database(django_db_setup, django_db_blocker):
        with django_db_blocker.unblock():
            yield
