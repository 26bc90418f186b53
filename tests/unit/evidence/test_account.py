"""What one test did to the caches, as the audit keeps it."""

import pytest

from ci_cache_isolation.evidence.account import Account, Entry, How, PatternSearch, Site

KEY = Entry("place", "", "1", "key")
OTHER = Entry("place", "", "1", "other")
ELSEWHERE = Entry("elsewhere", "", "1", "key")
HELD = "app.tests.Tests"


@pytest.fixture
def held():
    """Entries that an enclosing scope holds."""
    return set()


@pytest.fixture
def account(held):
    return Account(lambda entry: HELD if entry in held else "")


def site(line):
    return lambda: Site(f"app.py:{line}", "")


def look(account, entry=KEY, *, hit=False, line=1):
    account.look(entry, "default", "get", hit, site(line))


def store(account, entry=KEY, deadline=None, line=2):
    account.store(entry, "default", "set", deadline, site(line))


def delete(account, entry=KEY, *, hit=True, line=3):
    account.look(entry, "default", "delete", hit, site(line))
    account.delete(entry, "default", "delete", site(line))


def clear(account, place="place", line=4):
    account.clear(place, "default", "clear", site(line))


def test_the_first_look_counts_with_its_site(account):
    look(account, line=1)
    look(account, hit=True, line=9)
    assert account.looked[KEY].hit is False
    assert account.looked[KEY].site.at == "app.py:1"


def test_what_was_written_before_is_not_looked_at(account):
    store(account)
    look(account, hit=True)
    assert account.looked == {}


def test_what_was_cleared_before_is_not_looked_at(account):
    clear(account)
    look(account)
    look(account, ELSEWHERE)
    assert list(account.looked) == [ELSEWHERE]


def test_what_is_stored_is_left_with_the_first_site(account):
    store(account, line=2)
    store(account, line=8)
    assert account.left[KEY].how is How.STORED
    assert account.left[KEY].site.at == "app.py:2"


def test_what_is_stored_and_deleted_again_is_not_left(account):
    store(account)
    delete(account)
    assert account.left == {}


def test_deleting_where_there_is_nothing_leaves_nothing(account):
    delete(account, hit=False)
    assert account.left == {}
    assert account.looked[KEY].hit is False


def test_deleting_what_was_there_before_is_left(account):
    delete(account, hit=True)
    assert account.left[KEY].how is How.DELETED


def test_what_an_enclosing_scope_holds_is_known_by_its_name(account, held):
    held.add(KEY)
    look(account, hit=True)
    assert account.looked[KEY].holder == HELD


def test_what_an_enclosing_scope_holds_and_a_test_overwrites_and_deletes_is_left(
    account, held
):
    held.add(KEY)
    store(account)
    delete(account)
    assert account.left[KEY].how is How.DELETED


def test_clearing_takes_what_was_stored_and_is_left_itself(account):
    store(account)
    store(account, ELSEWHERE)
    clear(account)
    assert list(account.left) == [ELSEWHERE]
    assert account.cleared["place"].how is How.CLEARED


def test_what_is_stored_after_clearing_is_left(account):
    clear(account)
    store(account, OTHER)
    assert list(account.left) == [OTHER]


def test_what_has_expired_when_the_scope_ends_is_not_left(account):
    store(account, deadline=10)
    store(account, OTHER, deadline=12)
    account.close(now=11)
    assert list(account.left) == [OTHER]
    assert account.left[OTHER].expires_in == 1


def test_a_scope_tells_what_it_holds(account):
    assert account.holds(KEY) is None
    store(account)
    assert account.holds(KEY) is True
    delete(account)
    assert account.holds(KEY) is False
    clear(account)
    assert account.holds(OTHER) is False
    assert account.holds(ELSEWHERE) is None


def test_what_the_scope_made_sure_of_is_tidied(account):
    store(account)
    look(account, OTHER)
    assert account.tidied == []
    delete(account)
    delete(account, OTHER, hit=False)
    assert account.tidied == [KEY, OTHER]
    store(account)
    assert account.tidied == [OTHER]


ALL = PatternSearch("place", "", "1", "*")


def search(account, search=ALL, held=(), *, deletes=False, line=5):
    account.search(search, held, "default", "keys", site(line))
    if deletes:
        account.delete_found(search, held, "default", "keys", site(line))


def test_the_first_search_counts_with_its_site(account):
    search(account, line=5)
    search(account, line=9)
    assert account.searched[ALL].look.site.at == "app.py:5"


def test_a_search_knows_what_the_scope_had_written_or_looked_at(account):
    store(account)
    look(account, OTHER)
    look(account, ELSEWHERE)
    search(account)
    store(account, KEY._replace(key="later"))
    assert account.searched[ALL].known == ("key", "other")


def test_a_search_looks_at_what_enclosing_scopes_hold(account, held):
    held |= {KEY, ELSEWHERE}
    search(account, held=held)
    assert (account.looked[KEY].hit, account.looked[KEY].holder) == (True, HELD)
    assert list(account.looked) == [KEY]


def test_after_clearing_a_search_finds_only_what_is_its_own(account):
    clear(account)
    search(account)
    search(account, deletes=True)
    assert (account.searched, account.left) == ({}, {})


def test_deleting_by_a_pattern_takes_what_was_stored_and_leaves_what_was_held(
    account, held
):
    held |= {OTHER, ELSEWHERE}
    store(account)
    search(account, held=held, deletes=True)
    assert {entry: left.how for entry, left in account.left.items()} == {
        OTHER: How.DELETED
    }


def test_what_was_deleted_by_a_pattern_is_not_looked_at_afterwards(account):
    letters = ALL._replace(pattern="k*")
    search(account, letters, deletes=True)
    look(account)
    look(account, OTHER)
    search(account, letters)
    assert list(account.looked) == [OTHER]
    assert account.searched[letters].look.site.at == "app.py:5"
