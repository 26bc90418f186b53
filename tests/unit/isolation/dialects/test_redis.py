"""Databases of Redis: the same one under several names, copies on old servers."""

import pytest

from ci_cache_isolation.isolation.dialects.redis import (
    address,
    copy_on_server,
    database,
)

SAME = [
    [
        "redis://host",
        "redis://host:6379",
        "redis://HOST/0",
        "redis://:hush@host:6379/0",
    ],
    ["redis://host/3", "redis://host:6379?db=3", "redis://user:a@b@host:6379/7?db=3"],
    ["redis://", "redis://localhost:6379/0"],
    ["redis://[::1]/2", "redis://[::1]:6379/2"],
    ["rediss://host:6380/0"],
    ["unix:///run/a.sock", "unix:///run/a.sock?db=0", "unix://u:p@/run/a.sock"],
    ["unix:///run/a.sock?db=1"],
    ["unix:///run/b.sock"],
    ["host:6379"],
]


@pytest.mark.parametrize("urls", SAME)
def test_a_database_is_the_same_however_its_url_is_written(urls):
    assert len({address(url) for url in urls}) == 1


def test_other_databases_are_others():
    assert len({address(urls[0]) for urls in SAME}) == len(SAME)


def test_the_number_of_an_option_comes_first():
    assert address("redis://host/3", 5) == address("redis://host/5")
    assert address("redis://host", 0) == address("redis://host")
    assert address("unix:///run/a.sock", 2) == address("unix:///run/a.sock?db=2")


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("redis://host", "0"),
        ("redis://host/4", "4"),
        ("redis://host/4?db=5", "5"),
        ("redis://host?database=6", "6"),
        ("redis://host/name", "0"),
        ("unix:///4", "0"),
    ],
)
def test_the_number_of_a_database_is_read_as_the_library_reads_it(url, number):
    assert database(url) == number


class OldServer:
    """A client of a server before 6.2."""

    def __init__(self):
        self.values = {"source": (b"value", 500), "ever": (b"value", -1)}

    said = "ERR unknown command `COPY`, with args beginning with: "

    def copy(self, source, target):
        raise RuntimeError(self.said)

    def dump(self, key):
        return self.values.get(key, (None, -2))[0]

    def pttl(self, key):
        return self.values.get(key, (None, -2))[1]

    def exists(self, key):
        return key in self.values

    def restore(self, key, left, value):
        self.values[key] = value, left


@pytest.mark.parametrize(
    "said",
    [
        OldServer.said,
        "COPY - all keys must map to the same key slot",
        "CROSSSLOT Keys in request don't hash to the same slot",
    ],
)
def test_a_server_that_cannot_copy_is_asked_to_dump_and_restore(said):
    server = OldServer()
    server.said = said
    for source in ("source", "ever", "absent"):
        copy_on_server(server, source, f"copy of {source}")
    assert server.values["copy of source"] == (b"value", 500)
    assert server.values["copy of ever"] == (b"value", 0)
    assert "copy of absent" not in server.values
    copy_on_server(server, "ever", "source")
    assert server.values["source"] == (b"value", 500)


@pytest.mark.parametrize(("left", "restored"), [(0, 1), (-2, None)])
def test_a_copy_of_what_is_about_to_expire_is_not_for_ever(left, restored):
    server = OldServer()
    server.pttl = lambda _: left
    copy_on_server(server, "source", "target")
    assert server.values.get("target") == (restored and (b"value", restored))


def test_another_error_of_a_copy_is_an_error():
    server = OldServer()
    server.copy = lambda *_: 1 / 0
    with pytest.raises(ZeroDivisionError):
        copy_on_server(server, "source", "target")
