"""Caches in directories: one for each section, inside LOCATION."""

import hashlib
import os
import stat
from pathlib import Path

import pytest
from django.core.cache.backends.filebased import FileBasedCache

from ci_cache_isolation.isolation import filespace, notices
from tests.shared_caches import BLOCK, CLASS, OTHER_TEST, TEST, leave


class ShoutingCache(FileBasedCache):
    """It names its files in a way of its own."""

    cache_suffix = ".djcache"

    def _key_to_file(self, key, version=None):
        name = hashlib.sha1(self.make_key(key, version).upper().encode()).hexdigest()
        return f"{self._dir}/{name}{self.cache_suffix}"


@pytest.fixture
def location(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def cache(opened, location):
    return opened("files", location=str(location))


def everything_in(path):
    return sorted(str(each.relative_to(path)) for each in path.rglob("*"))


def test_the_directory_is_the_sections_own_and_nobody_elses(sections, cache, location):
    cache.set("of-process", 1)
    with sections.opened(TEST):
        cache.get("of-process")
        section = Path(cache._dir)
        assert section.parent.name.startswith(filespace.DIRECTORY)
        assert section.parent.parent == location
        for directory in (section, section.parent):
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        (file,) = section.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_copy_that_comes_first_makes_no_directory_that_others_can_read(
    sections, cache, monkeypatch
):
    before = os.umask(0)
    try:
        cache.set("of-process", 1)
        with sections.opened(TEST):
            cache.get("of-process")
            section = Path(cache._dir)
    finally:
        os.umask(before)
        modes = [each.stat().st_mode for each in (section, section.parent)]
    assert [stat.S_IMODE(mode) for mode in modes] == [0o700, 0o700]


def test_a_test_that_only_looks_makes_no_directory(sections, cache, location):
    with sections.opened(TEST):
        assert cache.get("key") is None
        assert not cache.has_key("key")
        assert not cache.delete("key")
        cache.clear()
    assert everything_in(location) == []


def test_nothing_is_left_when_the_process_ends(store, sections, cache, location):
    cache.set("of-process", 1)
    with sections.opened(CLASS), sections.opened(TEST):
        cache.set("key", 1)
    left = everything_in(location)
    assert len(left) == 3
    leave(store)
    assert everything_in(location) == []


def test_what_was_there_before_stays(store, sections, cache, location):
    other = FileBasedCache(str(location), {})
    other.set("key", "before")
    before = everything_in(location)
    with sections.opened(CLASS), sections.opened(TEST):
        assert cache.get("key") is None
        cache.set("key", 1)
        cache.clear()
    leave(store)
    assert everything_in(location) == before
    assert other.get("key") == "before"


@pytest.mark.parametrize("frequency", [0, 1, 2, 3])
def test_culling_leaves_as_many_as_without_isolation(
    sections, opened, location, frequency, monkeypatch
):
    monkeypatch.setattr("random.sample", lambda names, count: sorted(names)[:count])
    options = {"OPTIONS": {"MAX_ENTRIES": 6, "CULL_FREQUENCY": frequency}}
    alone = opened("files", is_isolated=False, **options)
    cache = opened("files", location=str(location), **options)
    keys = [f"key-{number}" for number in range(14)]
    with sections.opened(CLASS):
        for each in (alone, cache):
            each.set_many(dict.fromkeys(keys[:4], 1))
        with sections.opened(TEST):
            for key in keys[4:]:
                for each in (alone, cache):
                    each.set(key, 1)
                assert cache.get_many(keys) == alone.get_many(keys)
        assert set(cache.get_many(keys)) == set(keys[:4])


def test_storing_brings_over_nothing_but_what_is_asked_for(sections, cache):
    with sections.opened(CLASS):
        cache.set_many({f"key-{number}": 1 for number in range(20)})
        with sections.opened(TEST):
            cache.set("own", 1)
            assert len(list(Path(cache._dir).iterdir())) == 1
            assert cache.get("key-7") == 1
            assert len(list(Path(cache._dir).iterdir())) == 2


def test_a_class_may_name_its_files_in_a_way_of_its_own(sections, opened, location):
    cache = opened("files", location=str(location), cache_class=ShoutingCache)
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            assert cache.get("KEY") == 1
            cache.set("key", 2)
            with sections.opened(BLOCK):
                assert cache.incr("key") == 3
        with sections.opened(OTHER_TEST):
            assert cache.get("key") == 1
    assert len(everything_in(location)) == 1


def test_a_link_in_the_place_of_a_dead_processs_directory_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    link = tmp_path / f"{filespace.DIRECTORY}abcdef"
    link.symlink_to(precious)
    assert filespace.not_removed([str(link), str(precious)]) == []
    assert everything_in(precious) == ["file"]


def test_a_directory_that_cannot_be_removed_is_a_notice(
    own_notices, sections, cache, monkeypatch
):
    def fail(path):
        raise PermissionError(13, "Permission denied", path)

    with sections.opened(CLASS), sections.opened(TEST):
        cache.set("key", 1)
        directory = cache._dir
        monkeypatch.setattr("shutil.rmtree", fail)
    (space,) = sections.stores[0]._spaces.values()
    assert space.has_waiting
    monkeypatch.undo()
    leave(sections.stores[0])
    assert not Path(directory).exists()
    (text,) = notices.take()
    assert text == (
        "What tests stored in cache 'files' could not be deleted: [Errno 13] "
        f"Permission denied: '{directory}'. It stays in {directory}, where no test "
        "sees it. `cache-isolation purge` deletes it later, when that can be done."
    )
