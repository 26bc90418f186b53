"""A private memcached that has no time for a question is asked again."""

import io

import pytest

from ci_cache_isolation.isolation.stores import private_servers
from ci_cache_isolation.isolation.stores.private_servers import MemcachedContained

BUSY = b"BUSY currently processing crawler request\r\n"
ITEM = b"key=a exp=-1\r\n"


class Connection:
    def __init__(self, answers):
        self.asked = 0
        self._answers = iter(answers)

    def sendall(self, _):
        self.asked += 1

    def makefile(self):
        connection = self

        class File(io.RawIOBase):
            def readline(self):
                return next(connection._answers, BUSY)

        return File()


@pytest.fixture
def contained(monkeypatch):
    monkeypatch.setattr(private_servers, "_sleep", lambda _: None)

    def made(*answers):
        contained = object.__new__(MemcachedContained)
        contained._socket = Connection(answers)
        contained._file = contained._socket.makefile()
        return contained

    return made


def test_one_that_is_busy_is_asked_again_until_it_has_time(contained):
    made = contained(*[BUSY] * 900, ITEM, b"END\r\n")
    assert made._ask(b"lru_crawler metadump hash") == [ITEM.rstrip()]
    assert made._socket.asked == 901


def test_one_that_is_always_busy_is_an_error(contained):
    with pytest.raises(ConnectionError, match="memcached was busy each time"):
        contained()._ask(b"lru_crawler metadump hash")


def test_one_that_does_not_know_a_question_is_an_error(contained):
    with pytest.raises(ConnectionError, match="answered b'ERROR' to b'stats'"):
        contained(b"ERROR\r\n")._ask(b"stats")
