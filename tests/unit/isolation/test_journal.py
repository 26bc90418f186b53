"""What is written down for the case that a process is killed, and who deletes it."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation.isolation import journal
from ci_cache_isolation.isolation.journal import Journal, dead
from ci_cache_isolation.isolation.process import process_token
from tests import journals
from tests.journals import ABOUT, OTHER, written

state = journals.state
book = journals.book

HOSTILE = [
    "a\nb",
    "a\\nb",
    "\\",
    "\\\n",
    "\n",
    "a\\\\nb",
    "\udc80",
    "ünï",
    "",
    "a\rb\0",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_read_as_it_was_written(book, name):
    book.note(ABOUT, name)
    book.note(ABOUT, "next")
    assert written(book) == [name, "next"]


@given(st.text(st.characters()))
def test_a_line_is_a_name_and_no_more(name):
    line = journal._line(name)
    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]
    assert journal._name(line[:-1]) == name


def test_a_process_is_never_dead_to_itself(book):
    book.note(ABOUT, "one")
    assert book._path.name == process_token()
    assert list(dead()) == []


def test_only_what_is_kept_stays_written_down(book):
    for name in ("one", "two"):
        book.note(ABOUT, name)
    book.note(OTHER, "of-other")
    book.keep(ABOUT.fingerprint, ["two"])
    book.note(ABOUT, "three")
    book.keep("unknown", ["nothing"])
    path = book._path
    assert journal._read(path / "0123.names").names == ["two", "three"]
    assert journal._read(path / "4567.names").names == ["of-other"]


def test_closing_leaves_nothing(state, book):
    book.note(ABOUT, "one")
    book.close()
    assert list(state.iterdir()) == []
    book.note(ABOUT, "again")
    assert written(book) == ["again"]


def test_leaving_hands_over_what_is_written_down(monkeypatch, book):
    book.note(ABOUT, "one")
    path = book._path
    book.leave()
    monkeypatch.setattr(journal, "process_token", lambda: "another")
    assert [left.path.parent for left in dead()] == [path]


def test_nobody_else_can_read_it(state, book):
    book.note(ABOUT, "one")
    for path, mode in (
        (state, 0o700),
        (book._path, 0o700),
        (book._path / "0123.names", 0o600),
        (book._path / "alive", 0o600),
    ):
        assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("is_file", [True, False])
def test_a_directory_that_cannot_be_made_fails_nobody(state, monkeypatch, is_file):
    if is_file:
        state.write_text("in the way")
    else:
        monkeypatch.setenv(journal.DIRECTORY_VARIABLE, "/proc/nowhere")
    book = Journal()
    book.note(ABOUT, "one")
    book.keep(ABOUT.fingerprint, ["one"])
    book.close()
    assert list(dead()) == []
    assert journal.stored_in(ABOUT.fingerprint, "one") == []


@pytest.mark.parametrize("what", ["link", "open", "file"])
def test_a_directory_that_others_could_enter_is_not_used(monkeypatch, tmp_path, what):
    monkeypatch.delenv(journal.DIRECTORY_VARIABLE)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    path = tmp_path / f"ci-cache-isolation-{os.getuid()}"
    if what == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        path.symlink_to(tmp_path / "elsewhere")
    elif what == "open":
        path.mkdir()
        path.chmod(0o777)
    else:
        path.touch()
    with pytest.raises(OSError, match=path.name):
        journal.directory()
    book = Journal()
    book.note(ABOUT, "one")
    assert book._path is None
    assert list(dead()) == []
    book.close()


def test_the_directory_is_this_users_own(monkeypatch, tmp_path):
    monkeypatch.delenv(journal.DIRECTORY_VARIABLE)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    path = journal.directory()
    assert path.name == f"ci-cache-isolation-{os.getuid()}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_threads_that_write_at_once_share_one_directory(state, book):
    ready = threading.Barrier(8)

    def write(number):
        ready.wait()
        book.note(ABOUT, f"name-{number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    assert sorted(written(book)) == [f"name-{number}" for number in range(8)]
    assert [path.name for path in state.iterdir()] == [process_token()]


def test_a_disk_that_is_full_fails_nobody(book, monkeypatch):
    book.note(ABOUT, "one")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    book.note(OTHER, "two")
    book.note(ABOUT, "three")
    book.keep(ABOUT.fingerprint, [])
    monkeypatch.undo()
    path = book._path
    assert journal._read(path / f"{ABOUT.fingerprint}.names").names == ["one"]
