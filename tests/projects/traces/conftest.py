"""The reverse order where TRACES_REVERSE is set; Django's runner has an option."""

import os

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    if "TRACES_REVERSE" in os.environ:
        items.reverse()
