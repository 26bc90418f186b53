"""What is recorded for the case that a process is killed, and who deletes it."""

import os
import sys
from pathlib import Path

import pytest

from ci_cache_isolation.isolation.journal import DIRECTORY_VARIABLE, Dead, dead
from tests import journals
from tests.journals import ABOUT, ANOTHER_PROCESS, OTHER, killed, written

state = journals.state
book = journals.book


@pytest.mark.fresh_interpreter("a token of a process must not come from a parent")
def test_what_a_killed_process_left_is_found_by_its_space():
    path = killed("one", "a\nb")
    killed("of-other", about=OTHER)
    (left,) = dead(ABOUT.fingerprint)
    assert left == Dead(ABOUT, ["one", "a\nb"], path / "0123.names")
    assert sorted(each.about.alias for each in dead()) == ["default", "other"]


def test_what_was_deleted_is_forgotten_with_its_directory(state):
    path = killed("one")
    (left,) = dead()
    left.forget()
    assert not path.exists()
    assert list(dead()) == []
    left.forget()


def test_a_living_process_is_left_alone(state):
    import subprocess  # noqa: PLC0415

    fields = (ABOUT.fingerprint, ABOUT.alias, ABOUT.kind, ABOUT.location)
    source = ANOTHER_PROCESS.format(names=["one"], about=fields, lives=True)
    with subprocess.Popen(
        [sys.executable, "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        path = Path(process.stdout.readline().strip())
        assert list(dead()) == []
        assert list(dead()) == []
        process.stdin.close()
        process.wait()
    assert [left.path.parent for left in dead()] == [path]


def test_a_forked_child_lets_its_parent_live(book):
    book.note(ABOUT, "one")
    child = os.fork()
    if not child:
        status = 1
        try:
            book.after_fork()
            # The lock is its parent's, who lives.
            status = 0 if not list(dead()) else 2
            book.note(ABOUT, "of-child")
            status += 0 if written(book) == ["of-child"] else 4
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert written(book) == ["one"]
    assert [left.names for left in dead()] == [["of-child"]]


def test_a_name_that_was_cut_off_in_the_middle_is_no_name():
    path = killed("one", "two")
    with (path / "0123.names").open("ab") as file:
        file.write(b"thr")
    (left,) = dead()
    assert left.names == ["one", "two"]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff\xfe\n", b"[1, 2]\nname\n", b"no"]
)
def test_a_file_that_is_none_of_ours_is_nothing(content):
    path = killed("one")
    (path / "0123.names").write_bytes(content)
    assert list(dead()) == []


SETTINGS = """
    from ci_cache_isolation.settings import isolate

    DATABASES = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    }
    CACHES = isolate({
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        },
    })
    """
STORING = """
    import unittest
    from contextlib import suppress
    from django.core.cache import cache

    class Base:
        def test(self):
            for number in range(4):
                with suppress(Exception):
                    cache.set(f"key-{number}", 1)

    class ATests(Base, unittest.TestCase): pass
    class BTests(Base, unittest.TestCase): pass
    class CTests(Base, unittest.TestCase): pass
    class DTests(Base, unittest.TestCase): pass
    """


@pytest.mark.parametrize("parallel", ["1", "2", "4"])
def test_what_a_server_that_is_down_keeps_from_being_deleted_is_kept_once(
    project, monkeypatch, parallel
):
    project.write("settings", SETTINGS)
    project.write("test_storing", STORING)
    folder = project.path / ".state"
    for runs in range(1, 6):
        done = project.manage("test", f"--parallel={parallel}")
        assert done.returncode == 0, done.stderr
        monkeypatch.setenv(DIRECTORY_VARIABLE, str(folder))
        assert sum(len(left.names) for left in dead()) == runs * 16
        assert not list(folder.glob(".*"))
