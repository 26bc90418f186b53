"""The reverse order, when SHAKEN_REVERSE is set; Django's runner has an option for it.

Reversed before pytest-django groups the tests, so that it has the last word.
"""

import os

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    if "SHAKEN_REVERSE" in os.environ:
        items.reverse()
