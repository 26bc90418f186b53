"""Where an alias is probed: nobody else's entries can be met there, or are not."""

from pathlib import Path

import pytest
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
    place = place_for(backend, "token", "/tmp/folder")
    conf = {"BACKEND": "…", "LOCATION": "theirs", "TIMEOUT": 3}
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
    place = place_for(FileBasedCache, "token", str(tmp_path))
    cache = FileBasedCache(place.settings({})["LOCATION"], {})
    assert place.left(cache) == []
    cache.set("key", 1)
    assert len(place.left(cache)) == 1
