"""A desk that lends books. What it keeps in mind is in no cache: it lasts."""

import datetime as dt
import functools
import itertools
import logging
import os
import shutil
import tempfile
from pathlib import Path

from django.conf import settings
from django.dispatch import Signal

logger = logging.getLogger("desk")
book_lent = Signal()

loans = []
exporters = {"text": str}
locks = set()
numbers = itertools.count(1)
opened = []
FEES = {"late": 2, "lost": 30, "torn": 5}


class Card:
    """A member's card."""

    limit = 5
    colour = "green"


@functools.lru_cache
def fee(reason):
    return FEES[reason]


@functools.cache
def fee_with_tax(reason):
    return FEES[reason] * 2


@functools.lru_cache
def check_digit(number):
    """Return the same for ever: that it is kept changes nothing."""
    return sum(map(int, str(number))) % 11


def today():
    return dt.datetime.now(tz=dt.UTC).date()


def lend(book, to="somebody"):
    if len(loans) >= lend.most:
        raise ValueError("too many books are lent")
    loans.append(book)
    book_lent.send(sender=None, book=book)
    logger.info("%s is lent to %s", book, to)


lend.most = 50


class Exports:
    """The folder of lists: at one place for the whole of a process.

    A forked process has its own, with what was there when it was forked, as it has its
    own memory: what one run leaves is not for the next to find.
    """

    def __init__(self):
        self.pid = None
        self.folder = None

    def path(self, name):
        if self.pid != os.getpid():
            self.pid, before = os.getpid(), self.folder
            self.folder = Path(tempfile.mkdtemp(dir=settings.EXPORTS.name))
            if before is not None:
                shutil.copytree(before, self.folder, dirs_exist_ok=True)
        return self.folder / name


exports = Exports()
