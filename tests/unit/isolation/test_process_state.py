"""What a process knows of its own isolation."""

import threading

from ci_cache_isolation.isolation.process_state import STATE


def test_a_child_keeps_its_own_opening_and_no_other_thread_s():
    state = type(STATE)()
    own = (threading.get_ident(), 1, "default")
    state.openings = {own, (threading.get_ident() + 1, 1, "second")}
    state.begin_in_fork()
    assert state.openings == {own}
    assert state.is_fresh_fork


def test_nothing_else_is_kept_there():
    assert not hasattr(STATE, "__dict__")
