"""Frames and sections alone: counting on, looking outward, visits."""

import copy
import pickle

import pytest

from ci_cache_isolation.isolation.process import next_number, process_token
from ci_cache_isolation.isolation.sections import Frames, Space


class Noted(Space):
    """A space that notes what becomes of its sections."""

    def __init__(self, frames):
        super().__init__(frames, "default", "redis://:secret@host")
        self.replaced = []

    def replace(self, section, name, outer):
        self.replaced.append((section.frame.number, name, outer and outer.frame.number))

    def finish(self, section):
        """Do nothing."""

    def tidy(self, *, is_last=False):
        """Do nothing."""

    def forget_waiting(self):
        """Do nothing."""

    def share(self):
        """Do nothing."""

    def state(self, section, name):
        """Say that all stays as it is."""

    @property
    def has_waiting(self):
        return False

    @property
    def is_untidy(self):
        return False


@pytest.fixture
def frames():
    made = Frames()
    made.activate()
    return made


@pytest.fixture
def space(frames):
    return Noted(frames)


def push(frames, number, *, is_raw=False):
    frames.push(number, is_raw=is_raw)
    return number


def test_there_are_no_sections_before_tests_run():
    frames = Frames()
    space = Noted(frames)
    assert space.current() is None
    assert space.renew() is None
    frames.activate()
    assert space.current().id == process_token() + "000000"
    frames.deactivate()
    assert space.current() is None


def test_a_section_is_made_when_it_is_needed_and_once(frames, space):
    process = space.current()
    push(frames, 5)
    assert frames.open[-1].sections == {}
    section = space.current()
    assert section is not process
    assert section.id == process_token() + "000005"
    assert space.current() is section
    frames.pop()
    assert space.current() is process


def test_a_raw_scope_has_no_sections_and_one_inside_it_has(frames, space):
    push(frames, 1, is_raw=True)
    assert space.current() is None
    push(frames, 2)
    assert space.current().id.endswith("000002")
    frames.pop()
    assert space.current() is None


def test_sections_are_looked_through_from_the_inside_out(frames, space):
    process = space.current()
    push(frames, 1)
    push(frames, 2)
    two = space.current()
    push(frames, 3)
    three = space.current()
    assert list(space.outward(three)) == [two, process]
    process.touched["key"] = True
    assert space.enclosing(three, "key") is process
    two.touched["key"] = False
    assert space.enclosing(three, "key") is two
    assert space.enclosing(three, "other") is None


def test_a_section_that_was_cleared_hides_all_outside_of_it(frames, space):
    process = space.current()
    push(frames, next_number())
    before = space.current()
    assert space.renew() is before
    cleared = space.current()
    assert cleared.id > before.id
    assert list(space.outward(cleared)) == []
    push(frames, next_number())
    assert list(space.outward(space.current())) == [cleared]
    frames.pop()
    frames.pop()
    assert space.current() is process


def test_a_visit_says_what_was_changed_in_it(frames, space):
    push(frames, 1)
    one = space.current()
    push(frames, 2)
    two = space.current()
    assert one.changed is None
    visit = frames.visit(1)
    assert space.current() is one
    assert one.changed == set()
    assert frames.everywhere()[-1] is two.frame
    one.changed.add("key")
    push(frames, 3)
    space.current().changed.add("of-block")
    assert frames.leave(visit) == {space: {"key", "of-block"}}
    assert [frame.number for frame in frames.open] == [0, 1, 3, 2]
    assert one.changed is None
    assert space.current() is two


def test_a_visit_in_a_visit_says_only_what_was_changed_there(frames, space):
    push(frames, 1)
    one = space.current()
    push(frames, 2)
    outer = frames.visit(1)
    one.changed.add("first")
    push(frames, 3)
    inner = frames.visit(1)
    one.changed.add("second")
    assert frames.leave(inner) == {space: {"second"}}
    assert one.changed == {"first", "second"}
    frames.pop()
    assert frames.leave(outer) == {space: {"first", "second"}}


def test_changes_are_carried_to_those_who_would_not_see_them(frames, space):
    space.current().touched["key"] = True
    for number in (1, 2, 3, 4):
        push(frames, number)
        section = space.current()
        section.touched.update({"key": True} if number == 2 else {})
        section.is_cut = number == 4
    space.carry({"key"}, frames.open[1:])
    assert space.replaced == [(2, "key", 0), (4, "key", 2)]
    assert section.is_cut


def test_clearing_in_a_visit_changes_all_that_was_seen(frames, space):
    space.current().touched.update({"outer": True, "missed": False})
    push(frames, 1)
    space.current().touched["own"] = True
    push(frames, 2)
    frames.visit(1)
    space.renew()
    assert space.current().changed == {"outer", "own"}


def test_a_space_is_asked_for_by_name_and_holds_no_secret(space):
    assert copy.deepcopy([space]) == [space]
    assert pickle.loads(pickle.dumps(space)) is space
    assert b"secret" not in pickle.dumps(space)
    assert "secret" not in space.name
