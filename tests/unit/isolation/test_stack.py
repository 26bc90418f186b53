"""The stack of open scopes, alone and compared with a naive model."""

from types import SimpleNamespace
from unittest import mock

import pytest
from django.core.cache.backends import base, locmem
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores.memory import MemoryStore

MODULE = Scope(ScopeKind.MODULE, "app.tests")
CLASS = Scope(ScopeKind.CLASS, "app.tests.Tests")
OTHER_CLASS = Scope(ScopeKind.CLASS, "app.tests.OtherTests")
TEST = Scope(ScopeKind.TEST, "app.tests.Tests.test")
BLOCK = Scope(ScopeKind.BLOCK, "isolated")

PATHS = st.lists(st.sampled_from([MODULE, CLASS, OTHER_CLASS, TEST]), max_size=4).map(
    tuple
)


def test_a_new_stack_stands_in_the_process(stack):
    assert stack.path == ()
    assert stack.innermost is None
    assert stack.number == 0


def test_begin_and_end_nest(stack):
    stack.begin(MODULE)
    stack.begin(CLASS)
    assert stack.path == (MODULE, CLASS)
    assert stack.innermost == CLASS
    stack.end()
    assert stack.innermost == MODULE
    stack.end()
    assert stack.path == ()


def test_numbers_are_never_given_twice(stack):
    stack.begin(MODULE)
    of_module = stack.number
    stack.begin(TEST)
    of_test = stack.number
    stack.end()
    assert stack.number == of_module
    stack.begin(TEST)
    assert 0 < of_module < of_test < stack.number


@given(paths=st.lists(PATHS, min_size=1, max_size=5))
def test_one_is_where_one_moved_to(paths):
    stack = ScopeStack([])
    for path in paths:
        stack.move_to(path)
        assert stack.path == path


@given(path=PATHS)
def test_moving_to_where_one_is_does_nothing(path):
    stack = ScopeStack([])
    stack.move_to(path)
    number = stack.number
    stack.move_to(path)
    assert stack.number == number


def test_moving_to_a_neighbour_keeps_the_sections_that_enclose_both(stack, new_cache):
    cache = new_cache()
    stack.move_to((MODULE, CLASS))
    number = stack.number
    cache.set("of-class", 1)
    stack.begin(TEST)
    cache.set("of-test", 1)
    stack.move_to((MODULE, CLASS, BLOCK))
    assert cache.get_many(["of-class", "of-test"]) == {"of-class": 1}
    stack.end()
    assert stack.number == number
    stack.move_to((MODULE, OTHER_CLASS))
    assert cache.get("of-class") is None


def test_what_is_done_in_a_scope_is_undone_when_it_ends(stack, new_cache):
    cache = new_cache()
    cache.set_many({"changed": 1, "counted": 1, "deleted": 1})
    with stack.opened(TEST):
        cache.set("changed", 2)
        cache.incr("counted")
        cache.delete("deleted")
        cache.set("new", 1)
        assert cache.get("counted") == 2
    assert cache.get_many(["changed", "counted", "deleted", "new"]) == {
        "changed": 1,
        "counted": 1,
        "deleted": 1,
    }


def test_without_a_scope_what_is_done_stays(new_cache):
    cache = new_cache()
    cache.set("counted", 1)
    cache.incr("counted")
    assert cache.get("counted") == 2


def test_an_opened_scope_is_closed_when_its_block_fails(stack, new_cache):
    cache = new_cache()

    def fail():
        with stack.opened(TEST):
            cache.set("key", 1)
            assert stack.path == (TEST,)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stack.path == ()
    assert cache.get("key") is None


def test_an_opened_scope_closes_what_was_left_open_inside(stack):
    with stack.opened(MODULE):
        stack.begin(CLASS)
        stack.begin(TEST)
    assert stack.path == ()


def test_a_scope_that_was_closed_already_closes_no_other_at_its_end(stack, new_cache):
    cache = new_cache()
    stack.begin(MODULE)
    held_open = stack.opened(CLASS)
    held_open.__enter__()
    # Some other door moves on: the scope is gone, and something else in its place.
    stack.move_to((MODULE, TEST))
    cache.set("of-test", 1)
    held_open.__exit__(None, None, None)
    assert stack.path == (MODULE, TEST)
    assert cache.get("of-test") == 1


def test_opening_one_scope_twice_gives_two_sections(stack):
    with stack.opened(TEST), stack.opened(TEST):
        assert stack.path == (TEST, TEST)


def test_joining_opens_what_is_not_open(stack):
    with stack.joined(TEST):
        assert stack.path == (TEST,)
    assert stack.path == ()


def test_joining_an_open_scope_keeps_its_one_section(stack, new_cache):
    cache = new_cache()
    with stack.joined(CLASS):
        number = stack.number
        with stack.joined(CLASS):
            cache.set("key", 1)
            assert stack.number == number
        assert stack.path == (CLASS,)
        assert cache.get("key") == 1


def test_what_is_stored_at_an_outer_scope_outlives_the_inner_ones(stack, new_cache):
    cache = new_cache()
    stack.begin(MODULE)
    stack.begin(TEST)
    with stack.at(1):
        cache.set("of-module", 1)
        assert stack.path == (MODULE,)
    assert stack.path == (MODULE, TEST)
    assert cache.get("of-module") == 1
    stack.end()
    assert cache.get("of-module") == 1
    stack.end()
    assert cache.get("of-module") is None


def test_an_outer_scope_does_not_see_what_an_inner_one_stored(stack, new_cache):
    cache = new_cache()
    cache.set("both", "outer")
    stack.begin(TEST)
    cache.set_many({"inner": 1, "both": "inner"})
    with stack.at(0):
        assert cache.get_many(["inner", "both"]) == {"both": "outer"}
    assert cache.get_many(["inner", "both"]) == {"inner": 1, "both": "inner"}


def test_inner_scopes_see_what_was_done_at_an_outer_one(stack, new_cache):
    cache = new_cache()
    cache.set_many({"changed": 1, "deleted": 1, "counted": 1}, timeout=None)
    stack.begin(CLASS)
    stack.begin(TEST)
    cache.set("inner", 1)
    with stack.at(0):
        cache.set("changed", 2)
        cache.delete("deleted")
        cache.incr("counted")
        cache.set("new", 1)
    seen = {"changed": 2, "counted": 2, "new": 1}
    keys = ["changed", "deleted", "counted", "new", "inner"]
    assert cache.get_many(keys) == {**seen, "inner": 1}
    stack.end()
    assert cache.get_many(keys) == seen
    stack.end()
    assert cache.get_many(keys) == seen


@pytest.mark.parametrize("timeout", [None, 1000])
def test_an_outer_change_reaches_an_inner_scope_that_had_deleted_the_key(
    stack, new_cache, timeout
):
    cache = new_cache()
    cache.set("counted", 1, timeout)
    stack.begin(TEST)
    cache.clear()
    with stack.at(0):
        cache.incr("counted")
    assert cache.get("counted") == 2


def test_an_outer_touch_reaches_an_inner_scope_that_had_deleted_the_key(
    stack, new_cache
):
    cache = new_cache()
    cache.set("key", 1, 1000)
    stack.begin(TEST)
    cache.delete("key")
    with stack.at(0):
        cache.touch("key", None)
    assert cache.get("key") == 1


def test_an_outer_scope_can_be_visited_from_a_visit(stack, new_cache):
    cache = new_cache()
    stack.move_to((MODULE, CLASS, TEST))
    with stack.at(2):
        cache.set("of-class", 1)
        with stack.at(1):
            cache.set("of-module", 1)
            assert cache.get("of-class") is None
        assert stack.path == (MODULE, CLASS)
    assert cache.get_many(["of-class", "of-module"]) == {"of-class": 1, "of-module": 1}
    stack.move_to((MODULE,))
    assert cache.get_many(["of-class", "of-module"]) == {"of-module": 1}


def test_a_visit_gives_back_the_sections_and_closes_what_it_opened(stack):
    stack.move_to((MODULE, CLASS, TEST))
    number = stack.number
    with stack.at(1):
        stack.begin(OTHER_CLASS)
    assert stack.path == (MODULE, CLASS, TEST)
    assert stack.number == number


def test_a_block_stays_open_as_long_as_the_scope_around_it(stack, new_cache):
    cache = new_cache()
    stack.move_to((MODULE, CLASS))
    stack.begin(BLOCK)
    cache.set("of-block", 1)
    for _ in range(2):
        stack.move_to((MODULE, CLASS, TEST))
        assert stack.path == (MODULE, CLASS, BLOCK, TEST)
        assert cache.get("of-block") == 1
        cache.clear()
        stack.move_to((MODULE, CLASS))
        assert stack.path == (MODULE, CLASS, BLOCK)
    stack.move_to((MODULE, OTHER_CLASS))
    assert stack.path == (MODULE, OTHER_CLASS)
    assert cache.get("of-block") is None


def test_a_block_that_a_visit_leaves_open_keeps_its_place(stack, new_cache):
    cache = new_cache()
    stack.move_to((MODULE, TEST))
    cache.set("of-test", 1)
    with stack.at(1):
        stack.begin(BLOCK)
        cache.set("of-block", 1)
    assert stack.path == (MODULE, BLOCK, TEST)
    assert cache.get_many(["of-test", "of-block"]) == {"of-test": 1, "of-block": 1}
    stack.end()
    assert cache.get_many(["of-test", "of-block"]) == {"of-block": 1}
    stack.end()
    assert cache.get_many(["of-test", "of-block"]) == {}


def test_a_block_that_ends_takes_no_test_along_that_began_inside_it(stack, new_cache):
    cache = new_cache()
    stack.begin(CLASS)
    with stack.opened(BLOCK):
        cache.set("of-block", 1)
        stack.begin(TEST)
        cache.set("of-test", 1)
    assert stack.path == (CLASS, TEST)
    assert cache.get_many(["of-block", "of-test"]) == {"of-test": 1}
    stack.move_to(())
    assert cache.get_many(["of-block", "of-test"]) == {}


def test_blocks_count_in_the_depth_of_a_path(stack):
    stack.begin(MODULE)
    stack.begin(BLOCK)
    stack.begin(TEST)
    assert stack.depth_of(()) == 0
    assert stack.depth_of((MODULE,)) == 2
    assert stack.depth_of((MODULE, TEST)) == 3
    assert stack.depth_of((MODULE, CLASS)) == 2
    assert stack.depth_of((OTHER_CLASS,)) == 0


def test_a_visit_ends_when_its_block_fails(stack, new_cache):
    cache = new_cache()
    stack.begin(TEST)

    def fail():
        with stack.at(0):
            cache.set("key", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stack.path == (TEST,)
    assert cache.get("key") == 1


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_visit_to_where_one_is_does_nothing(stack, new_cache, depth):
    cache = new_cache()
    stack.begin(TEST)
    with stack.at(depth):
        cache.set("key", 1)
        assert stack.path == (TEST,)
    stack.end()
    assert cache.get("key") is None


KEYS = st.sampled_from("ab")
TIMEOUTS = st.sampled_from([None, 0, 10, 20])


def is_same(before, now):
    """Return whether an entry of the model was neither written nor renewed.

    A number that is the same is another object. One that lives for ever, and does so
    again after a shorter time, is as it was.
    """
    if before is None or now is None:
        return before is now
    return before[1] is now[1] and before[2] is now[2]


class Sections(RuleBasedStateMachine):
    """Two memory caches under a stack, beside two plain dictionaries for each section.

    The model holds, for each section from the outermost in, (value, expiry, mark of the
    write) by cache and key. Time is a number here.
    """

    def __init__(self):
        super().__init__()
        self.now = 0.0
        clock = SimpleNamespace(time=lambda: self.now)
        self.patches = [
            mock.patch.object(each, "time", clock) for each in (locmem, base)
        ]
        for each in self.patches:
            each.start()
        self.caches = [locmem.LocMemCache(f"model-{name}", {}) for name in "ab"]
        for cache in self.caches:
            cache.clear()
        self.stack = ScopeStack([MemoryStore()])
        self.sections = [({}, {})]
        self.visit = None

    def teardown(self):
        self.leave()
        self.stack.move_to(())
        for each in self.patches:
            each.stop()

    @property
    def depth(self):
        return len(self.sections) - 1 if self.visit is None else self.visit[0]

    def model(self, which):
        return self.sections[self.depth][which]

    def alive(self, which, key):
        """Return the model's entry; drop one that expired, as reading does."""
        entry = self.model(which).get(key)
        if entry is not None and entry[1] is not None and entry[1] <= self.now:
            del self.model(which)[key]
            return None
        return entry

    def expiry(self, timeout):
        return None if timeout is None else self.now + timeout if timeout else -1

    def leave(self):
        """End a visit; carry what was changed in it into every inner section."""
        if self.visit is None:
            return
        depth, visiting, before = self.visit
        self.visit = None
        visiting.__exit__(None, None, None)
        for which, was in enumerate(before):
            now = self.sections[depth][which]
            changed = [k for k in was | now if not is_same(was.get(k), now.get(k))]
            for inner in self.sections[depth + 1 :]:
                for key in changed:
                    if key in now:
                        inner[which][key] = now[key]
                    else:
                        inner[which].pop(key, None)

    @precondition(lambda self: self.visit is None and len(self.sections) < 5)
    @rule()
    def begin(self):
        self.stack.begin(TEST)
        self.sections.append(tuple(dict(each) for each in self.sections[-1]))

    @precondition(lambda self: self.visit is None and len(self.sections) > 1)
    @rule()
    def end(self):
        self.stack.end()
        self.sections.pop()

    @precondition(lambda self: self.visit is None and len(self.sections) > 1)
    @rule(data=st.data())
    def visit_an_outer_scope(self, data):
        depth = data.draw(st.integers(0, len(self.sections) - 2), "depth")
        visiting = self.stack.at(depth)
        visiting.__enter__()
        before = tuple(dict(each) for each in self.sections[depth])
        self.visit = depth, visiting, before

    @precondition(lambda self: self.visit is not None)
    @rule()
    def end_the_visit(self):
        self.leave()

    @rule(seconds=st.sampled_from([1, 10]))
    def wait(self, seconds):
        self.now += seconds

    @rule(which=st.integers(0, 1), key=KEYS, value=st.integers(0, 3), timeout=TIMEOUTS)
    def set(self, which, key, value, timeout):
        self.caches[which].set(key, value, timeout)
        self.model(which)[key] = value, self.expiry(timeout), object()

    @rule(which=st.integers(0, 1), key=KEYS, value=st.integers(0, 3), timeout=TIMEOUTS)
    def add(self, which, key, value, timeout):
        absent = self.alive(which, key) is None
        assert self.caches[which].add(key, value, timeout) is absent
        if absent:
            self.model(which)[key] = value, self.expiry(timeout), object()

    @rule(which=st.integers(0, 1), key=KEYS)
    def delete(self, which, key):
        self.caches[which].delete(key)
        self.model(which).pop(key, None)

    @rule(which=st.integers(0, 1), key=KEYS)
    def incr(self, which, key):
        entry = self.alive(which, key)
        if entry is None:
            with pytest.raises(ValueError, match="not found"):
                self.caches[which].incr(key)
        else:
            assert self.caches[which].incr(key) == entry[0] + 1
            self.model(which)[key] = entry[0] + 1, entry[1], object()

    @rule(which=st.integers(0, 1), key=KEYS, timeout=TIMEOUTS)
    def touch(self, which, key, timeout):
        entry = self.alive(which, key)
        assert self.caches[which].touch(key, timeout) is (entry is not None)
        if entry is not None:
            self.model(which)[key] = entry[0], self.expiry(timeout), entry[2]

    @rule(which=st.integers(0, 1))
    def clear(self, which):
        self.caches[which].clear()
        self.model(which).clear()

    @invariant()
    def each_cache_holds_what_the_model_holds(self):
        for which, cache in enumerate(self.caches):
            found = {
                key: (value, cache._expire_info[cache.make_key(key)])
                for key, value in cache.get_many("ab").items()
            }
            entries = {key: self.alive(which, key) for key in "ab"}
            assert found == {key: each[:2] for key, each in entries.items() if each}

    @invariant()
    def the_stack_is_as_deep_as_the_model(self):
        assert len(self.stack.path) == self.depth


def test_any_sequence_of_operations_does_what_a_naive_model_does():
    most = 2 * settings().max_examples
    run_state_machine_as_test(Sections, settings=settings(max_examples=most))
