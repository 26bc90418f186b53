"""Nothing of others is harmed on any store: those that are not in tests/system."""

import pytest

from tests.neighbours import BACKENDS, GREEN, KILLED, PURGED
from tests.stores import DATABASES


@pytest.mark.parametrize("store", sorted(BACKENDS.keys() - set(GREEN)))
def test_after_a_green_run_with_a_thousand_clears_all_is_as_it_was(shared, store):
    shared(store).is_as_it_was_after_a_green_run()


@pytest.mark.parametrize("store", sorted(BACKENDS.keys() - set(KILLED)))
def test_after_sigkill_all_is_there_and_the_next_run_takes_the_rest_away(shared, store):
    shared(store).is_as_it_was_after_sigkill_and_another_run()


@pytest.mark.parametrize(
    "store", sorted(BACKENDS.keys() - set(DATABASES) - set(PURGED))
)
def test_purge_takes_the_rest_away_as_well(shared, store):
    shared(store).is_as_it_was_after_sigkill_and_purge()
