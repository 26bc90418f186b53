"""Who can meet whom in what processes share."""

from ci_cache_isolation.evidence.evidence import Evidence
from tests.unit.evidence.test_conflicts import KEY, left, look, note

SHARED = KEY._replace(place="keyspace:1")
IN_MEMORY = KEY._replace(place="memory:1")


def test_those_who_store_or_clear_in_one_place_share_it():
    stores = note("a", left={SHARED: left(), IN_MEMORY: left()})
    other = note("b", left={SHARED._replace(key="other"): left()})
    clears = note("c", cleared={SHARED.place: left()})
    reads = note("d", looked={SHARED: look()})
    elsewhere = note("e", left={SHARED._replace(place="keyspace:2"): left()})
    in_memory = note("f", left={IN_MEMORY: left()})
    found = Evidence.drawn([stores, other, clears, reads, elsewhere, in_memory])
    assert found.sharing(stores.test) == [stores.test, other.test, clears.test]
    assert found.sharing(in_memory.test) == []
    assert found.sharing(reads.test) == found.sharing("unknown") == []


def test_what_another_process_takes_away_is_named():
    stores = note("a", left={SHARED: left()})
    clears = note("b", cleared={SHARED.place: left()})
    in_memory = note("c", left={IN_MEMORY: left()}, cleared={IN_MEMORY.place: left()})
    found = Evidence.drawn([stores, clears, in_memory])
    assert found.met(stores.test, clears.test).conflict.entry == SHARED
    assert found.met(clears.test, stores.test) is None
    assert found.met(in_memory.test, in_memory.test) is None
