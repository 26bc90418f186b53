"""Threads that are alive when tests are forked: which of them matter."""

import sys
from types import SimpleNamespace

import pytest

from ci_cache_isolation.running.inside.serving import is_of_tools


def frame_of(*modules):
    """Return a frame that is called by those of the other modules."""
    frame = None
    for name in reversed(modules):
        frame = SimpleNamespace(f_globals={"__name__": name}, f_back=frame)
    return frame


@pytest.mark.parametrize(
    ("modules", "is_one"),
    [
        (["socket", "pytest_rerunfailures", "threading"], True),
        (["execnet.gateway_base", "threading"], True),
        (["queue", "shop.workers", "threading"], False),
        (["socket", "execnet.gateway_base", "shop.workers", "threading"], False),
        # Whose it is can't be told.
        (["queue", "concurrent.futures.thread", "threading"], False),
        ([], False),
    ],
)
def test_threads_of_tools_are_told_from_others(modules, is_one):
    assert is_of_tools(frame_of(*modules)) == is_one


def test_the_frames_of_this_thread_are_read():
    assert not is_of_tools(sys._getframe())
