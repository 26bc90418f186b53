"""A module that keeps state of every kind, for tests to change."""

import array
import collections
import contextvars
import functools
import threading
import unittest

from asgiref.local import Local

rates = {"EUR": 1}
ordered = collections.OrderedDict(a=1, b=2)
counted = collections.Counter(a=1)
grouped = collections.defaultdict(list, a=[1])
names = ["a"]
seen = {"a"}
latest = collections.deque(["a"])
raw = bytearray(b"a")
sums = array.array("l", [1, 2])
nested = {"a": {"b": [1]}}
limit = 5


class Card:
    limit = 5
    kinds = ["child"]  # noqa: RUF012

    def __init__(self):
        self.owner = "Emma"


class CaseTests(unittest.TestCase):
    """Tests, which nobody runs."""


class Slotted:
    __slots__ = ("filled", "owner")

    def __init__(self):
        self.owner = "Emma"


class Own(dict):
    """A dictionary with attributes besides."""


class Hostile:
    """Does nothing that one could ask it for."""

    def _refuse(self, *_):
        raise AssertionError("a user's code was run")

    __eq__ = __ne__ = __len__ = __iter__ = __bool__ = __repr__ = __str__ = _refuse
    __getattribute__ = __setattr__ = __delattr__ = __contains__ = __hash__ = _refuse
    __class__ = property(_refuse)


class HostileMeta(type):
    """The class of a class that can't be asked for anything either."""

    def _refuse(cls, *_):
        raise AssertionError("a user's code was run")

    __eq__ = __hash__ = __len__ = __iter__ = __bool__ = __repr__ = _refuse
    __instancecheck__ = __subclasscheck__ = __getattribute__ = __setattr__ = _refuse


class OfHostileClass(metaclass=HostileMeta):
    limit = 5


class HostileDict(dict):
    def _refuse(self, *_):
        raise AssertionError("a user's code was run")

    __eq__ = __len__ = __iter__ = __bool__ = __getitem__ = __setitem__ = _refuse
    keys = values = items = get = pop = clear = update = copy = _refuse


card, slotted, own = Card(), Slotted(), Own(a=1)
hostile, hostile_dict = Hostile(), HostileDict(a=1)
of_hostile_class = OfHostileClass()
local, of_thread = Local(), threading.local()
local.user = of_thread.user = "Emma"
variable = contextvars.ContextVar("variable", default=None)
variable.set("a")


def lend(most=["a"], *, least={"a": 1}):  # noqa: B006
    return most, least


def counting():
    count = 0

    def add():
        nonlocal count
        count += 1
        return count

    return add


add = counting()
partly = functools.partial(lend, ["a"])
lend.calls = 0
held_by_tuple = ({"a": 1},)


def initialise():
    global engine  # noqa: PLW0603
    engine = "started"
