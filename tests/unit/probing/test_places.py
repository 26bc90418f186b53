"""Where an alias is probed: nobody else's entries can be met there, or are not."""

import socket
from pathlib import Path

import pytest
from django.core.cache import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from ci_cache_isolation.probing.places import new_folder, place_for, remove_folder


class Derived(FileBasedCache):
    pass


@pytest.mark.parametrize(
    ("backend", "is_own"),
    [
        (LocMemCache, True),
        (Derived, True),
        (DatabaseCache, True),
        (RedisCache, False),
        (DummyCache, False),
    ],
)
def test_what_a_backend_might_empty_or_cull_has_a_place_of_its_own(backend, is_own):
    conf = {"BACKEND": "…", "LOCATION": "theirs", "TIMEOUT": 3}
    place = place_for(conf, backend, "token", "/tmp/folder", "default")
    assert place.is_own is is_own
    made = place.settings(conf)
    assert (made["LOCATION"] != "theirs") is is_own
    assert made["TIMEOUT"] == 3
    assert conf["LOCATION"] == "theirs"


def test_folders_are_for_this_user_only_and_go_with_what_is_in_them(tmp_path):
    folder = Path(new_folder())
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "file").touch()
    remove_folder(str(folder))
    assert not folder.exists()
    remove_folder(str(folder))


def test_a_place_in_files_lists_what_is_there(tmp_path):
    place = place_for({}, FileBasedCache, "token", str(tmp_path), "default")
    cache = FileBasedCache(place.settings({})["LOCATION"], {})
    assert place.left(cache) == []
    cache.set("key", 1)
    assert len(place.left(cache)) == 1


class Unknown(BaseCache):
    def get(self, key, default=None, version=None): ...

    add = set = delete = clear = get


@pytest.mark.parametrize(
    ("location", "is_own"),
    [("/var/shelf", True), ("shelf", False), ("host:1", False), (["/a", "/b"], False)],
)
def test_an_unknown_backend_gets_a_path_of_its_own_where_it_has_one(location, is_own):
    place = place_for({"LOCATION": location}, Unknown, "token", "/folder", "default")
    assert place.is_own is is_own


def test_a_socket_is_an_address_and_no_path(tmp_path):
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        place = place_for({"LOCATION": path}, Unknown, "token", "/folder", "default")
    assert not place.is_own


def test_two_aliases_have_two_places():
    one, other = (
        place_for({}, LocMemCache, "token", "/folder", alias).settings({})
        for alias in ("one", "other")
    )
    assert one["LOCATION"] != other["LOCATION"]
