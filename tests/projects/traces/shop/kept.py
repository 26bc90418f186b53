"""What this shop keeps in mind: state of every kind, for tests to leave changed."""

import array
import collections
import contextvars
import datetime as dt
import decimal
import functools
import logging
import os
import threading

from asgiref.local import Local
from django.dispatch import Signal

# Containers.
rates = {"USD": 1}
fees = {"late": 1}
stock = {"tea": 1, "milk": 2}
offers = {"autumn": 1}
tree = {"root": {"leaves": 3}}
queue = collections.OrderedDict(first=1, second=2)
menu = {"soup": 1, "bread": 2}
grouped = collections.defaultdict(list, somebody=["a"])
counts = collections.Counter(seen=1)
priced = {}


class Registry(dict):
    """A dictionary that has attributes besides."""

    is_closed = False


registry, labelled = Registry(), Registry()
labelled.is_closed = False


class Lines(list):
    pass


loans, shelf, lines, grid = [], ["b", "c", "a"], Lines(), [[1, 2], [3, 4]]
colours, open_doors = {"green"}, {"shop"}
latest = collections.deque()
buffer = bytearray()
sums = array.array("l")
pair = ({}, 1)
box = collections.UserDict()
chained = collections.ChainMap({}, {})


# Modules, classes, objects.
limit = 5
feature = other_feature = True
parts = (1, 2)


def start_engine():
    global engine  # noqa: PLW0603
    engine = "started"


def today():
    return "Monday"


def fetch():
    return "fetched"


class Card:
    limit = 5
    kinds = ["adult"]  # noqa: RUF012

    @classmethod
    def award(cls):
        cls.badge = "gold"


cards = {"emma": Card()}
cards["emma"].limit = 5


class Till:
    def total(self):
        return 0


class Service:
    instance = None

    @classmethod
    def get(cls):
        if cls.instance is None:
            cls.instance = cls()
        return cls.instance


class Plugin:
    known = {"Plugin": None}  # noqa: RUF012

    def __init_subclass__(cls):
        cls.known[cls.__name__] = cls


class Counter:
    def __init__(self):
        self.place = "left"
        self.bell = self.other_bell = "small"

    def keep(self, name):
        self.keeper = name


counter = Counter()


class Slotted:
    __slots__ = ("filled", "owner", "spare")

    def __init__(self):
        self.owner = "Emma"


slotted = Slotted()


class Report:
    @functools.cached_property
    def total(self):
        return sum(parts)

    @property
    def count(self):
        return len(parts)


report = Report()


# Functions.
def lend():
    return lend.most


lend.most = 5


def squared(number):
    if number not in squared.cache:
        squared.cache[number] = number**2
    return squared.cache[number]


squared.cache = {}


def collected(name, names=[]):  # noqa: B006
    names.append(name)
    return names


def chosen(*, given={"a": 1}, **more):  # noqa: B006
    given.update(more)
    return given


def _tickets():
    last = 0

    def next_ticket():
        nonlocal last
        last += 1
        return last

    def ticket_now():
        return last

    return next_ticket, ticket_now


next_ticket, ticket_now = _tickets()


def _memo():
    memo = {}

    def memo_size():
        return len(memo)

    def remembered(number):
        memo[number] = number
        return memo[number]

    return memo_size, remembered


memo_size, remembered = _memo()
greeted = functools.partial(dict, to="all")


# Threads, tasks, and what listens.
of_thread = threading.local()
of_task = Local()
tenant = contextvars.ContextVar("tenant", default="nobody")
tenant.set("nobody")
sold = Signal()
logger = logging.getLogger("shop")


def note(*_, **__):
    """Receive whatever it is."""


def other_note(*_, **__):
    """Receive it too."""


# What is around.
os.environ["SHOP_NAME"] = "Corner"
UMASK = os.umask(0o022)
os.umask(UMASK)
TOKYO = dt.timezone(dt.timedelta(hours=9), "Tokyo")
THIRD = decimal.Context(prec=28).divide(1, 3)

# For patterns.
doors, alarms, keys, tills = set(), {}, [], {}
exporters = {"text": str}
ready = False
opened = []
visits = 0
season = "summer"
paints = []
tables = {}
hall, cellar = {}, {}
looked_up = {}
grown = []
counted = 0
