"""Marks ``xdist_group`` that hold with pytest 9.2 too.

xdist 3.8 writes a test's group into what the node id was until then, and all groups
are ignored: https://github.com/pytest-dev/pytest-xdist/issues/1386. Goes with its fix.
"""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        marked = vars(item).get("_nodeid", item.nodeid)
        if marked != item.nodeid:
            item._id = type(item._id).parse(marked)
