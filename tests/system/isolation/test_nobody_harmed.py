"""What was on a shared server before is there afterwards, whatever the tests do to it.

Also after the processes were killed; and of a run that ended by itself nothing is left.
"""

import pytest

from tests.neighbours import GREEN, KILLED, PURGED, RUN


@pytest.mark.parametrize("store", GREEN)
def test_after_a_green_run_with_a_thousand_clears_all_is_as_it_was(shared, store):
    shared(store).is_as_it_was_after_a_green_run()


def test_with_isolation_off_the_same_run_harms(shared):
    shared = shared("redis")
    before = shared.begin()
    shared.run(*RUN, "4", CI_CACHE_ISOLATION="off")
    assert shared.contents.dump() != before
    assert shared.contents.forbidden() == ["cmdstat_flushdb"]


@pytest.mark.parametrize("store", KILLED)
def test_after_sigkill_all_is_there_and_the_next_run_takes_the_rest_away(shared, store):
    shared(store).is_as_it_was_after_sigkill_and_another_run()


@pytest.mark.parametrize("store", PURGED)
def test_purge_takes_the_rest_away_as_well(shared, store):
    shared(store).is_as_it_was_after_sigkill_and_purge()


@pytest.mark.parametrize("store", ["redis", "pymemcache"])
def test_private_servers_leave_the_shared_one_alone(shared, store):
    """They clear and flush as they like; the shared one does not hear of it."""
    private = dict.fromkeys(("default", "second"), "private-server")
    shared = shared(store, private)
    before = shared.begin()
    commands = shared.contents.commands()
    done = shared.run(*RUN, "2")
    assert done.returncode == 0, done.stderr
    shared.killed("-m", "django", *RUN, "2")
    assert shared.contents.commands() == commands
    assert shared.contents.dump() == before


@pytest.mark.parametrize("store", ["files", "redis"])
def test_a_worker_that_takes_a_killed_ones_place_tidies_up(shared, store):
    """xdist goes on after the loss of a worker: in a new one, and in the others."""
    shared = shared(store)
    before = shared.begin()
    shared.project.write(
        "test_killed",
        """
        import os
        from django.core.cache import cache

        def test_killed():
            cache.set("theirs", 1)
            os._exit(9)

        def test_other():
            cache.set("theirs", 1)
            cache.clear()
        """,
    )
    done = shared.project.pytest("-n1", "test_killed.py")
    assert "1 failed, 1 passed" in done.stdout
    assert shared.contents.dump() == before
