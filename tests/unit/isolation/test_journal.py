"""What is recorded for the case that a process is killed, and who deletes it."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation.isolation import journal, notices, process
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


@pytest.fixture
def become(monkeypatch):
    """Be another process, as far as journals can see."""

    def become(token):
        monkeypatch.setattr(process, "_drawn", (os.getpid(), token))

    return become


@pytest.fixture
def left_by(become):
    """Have a process write names down and die."""

    def left_by(token, *names, about=ABOUT):
        become(token)
        book = Journal()
        for name in names:
            book.note(about, name)
        book.leave()
        return book

    return left_by


@pytest.fixture(autouse=True)
def own_notices(monkeypatch):
    monkeypatch.setattr(notices, "_kept", {})


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


@pytest.mark.parametrize("is_chosen", [True, False])
@pytest.mark.parametrize("what", ["link", "open", "file"])
def test_a_directory_that_others_could_enter_is_not_used(
    monkeypatch, tmp_path, what, is_chosen
):
    path = tmp_path / f"ci-cache-isolation-{os.getuid()}"
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    if is_chosen:
        monkeypatch.setenv(journal.DIRECTORY_VARIABLE, str(path))
    else:
        monkeypatch.delenv(journal.DIRECTORY_VARIABLE)
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
    (said,) = notices.take()
    assert said.startswith("What tests store in shared caches can't be noted on disk: ")
    assert said.endswith(
        "Let CI_CACHE_ISOLATION_JOURNALS name a directory that only you can enter, or "
        "one that does not exist yet."
    )


def test_a_directory_of_somebody_else_is_not_used(monkeypatch, state):
    state.mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(PermissionError, match="not a directory of this user's alone"):
        journal.directory()


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


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_directory_that_cannot_be_moved_to_its_name_leaves_nothing(state, become):
    become("abcdef")
    (state / "abcdef").mkdir(parents=True)
    state.chmod(0o700)
    (state / "abcdef" / "in-the-way").touch()
    book, before = Journal(), open_files()
    book.note(ABOUT, "one")
    assert open_files() == before
    assert [path.name for path in state.iterdir()] == ["abcdef"]


def test_a_file_that_cannot_be_begun_leaves_nothing(book, monkeypatch):
    book.hold()
    before = open_files()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    book.note(ABOUT, "one")
    assert open_files() == before
    assert [path.name for path in book._path.iterdir()] == ["alive"]


def test_what_is_taken_over_is_written_down_once_whoever_takes_it(
    state, become, left_by
):
    left_by("aaaaaa", "one", "two")
    for taker in ("bbbbbb", "cccccc", "dddddd"):
        become(taker)
        book = Journal()
        [left] = [book.take(left) for left in dead(ABOUT.fingerprint)]
        assert left.names == ["one", "two"]
        book.note(ABOUT, f"of-{taker}")
        # Its own is another file, and is no more there.
        book.keep(ABOUT.fingerprint, [])
        book.leave()
        assert [path.name for path in state.iterdir()] == [taker]
    become("eeeeee")
    assert [left.names for left in dead()] == [["one", "two"]]


def test_nobody_else_is_given_what_somebody_takes_over(become, left_by):
    left_by("aaaaaa", "one")
    become("bbbbbb")
    taking = dead()
    left = next(taking)
    assert list(dead()) == []
    taking.close()
    assert list(dead()) == [left]


def test_whoever_looks_hides_nothing_of_another_space_from_the_others(become):
    become("aaaaaa")
    died = Journal()
    died.note(ABOUT, "one")
    died.note(OTHER, "two")
    died.leave()
    become("bbbbbb")
    looking = dead(ABOUT.fingerprint)
    assert next(looking).names == ["one"]
    assert [left.names for left in dead(OTHER.fingerprint)] == [["two"]]
    looking.close()


def test_a_dead_process_that_somebody_looks_at_is_not_taken_for_living(become, left_by):
    left_by("aaaaaa", "one")
    left_by("bbbbbb", "aaaaaa000001:1:two", about=OTHER)
    become("cccccc")
    looking = dead(ABOUT.fingerprint)
    assert next(looking).names == ["one"]
    assert [left.names for left in dead(OTHER.fingerprint)] == [["aaaaaa000001:1:two"]]
    looking.close()


@pytest.mark.parametrize("is_moved", [True, False])
def test_what_somebody_takes_in_the_moment_before_it_is_locked_is_not_given(
    monkeypatch, become, left_by, is_moved
):
    left_by("aaaaaa", "one")
    become("bbbbbb")
    flock = journal.fcntl.flock

    def late(opened, kind):
        if kind & journal.fcntl.LOCK_EX:
            (path,) = journal.directory().glob("aaaaaa/*.names")
            path.rename(path.with_suffix(".taken")) if is_moved else path.unlink()
        flock(opened, kind)

    monkeypatch.setattr(journal.fcntl, "flock", late)
    assert list(dead()) == []


def test_what_cannot_be_taken_over_stays_where_it_is(state, become, left_by):
    left_by("aaaaaa", "one")
    become("bbbbbb")
    (state / "bbbbbb").mkdir()
    (state / "bbbbbb" / "in-the-way").touch()
    book = Journal()
    assert [book.take(left) for left in dead()] == [None]
    become("cccccc")
    assert [left.names for left in dead()] == [["one"]]


def test_what_was_taken_over_and_is_deleted_is_forgotten_and_the_taker_lives(
    state, become, left_by
):
    left_by("aaaaaa", "one")
    become("bbbbbb")
    book = Journal()
    (taken,) = [book.take(left) for left in dead()]
    taken.forget()
    assert [path.name for path in (state / "bbbbbb").iterdir()] == ["alive"]
    book.close()
    assert list(state.iterdir()) == []


def test_what_is_taken_over_is_seen_by_those_who_share_a_section(become, left_by):
    left_by("aaaaaa", "zzzzzz000001:1:one")
    become("bbbbbb")
    book = Journal()
    [book.take(left) for left in dead()]
    assert journal.stored_in("0123", "zzzzzz000001") == ["zzzzzz000001:1:one"]
    book.close()


def test_at_no_moment_is_a_name_missing_that_stays(book, monkeypatch):
    for name in ("of-class", "of-test", "of-module", "of-test-too"):
        book.note(ABOUT, name)

    def killed(*_):
        raise OSError("killed")

    monkeypatch.setattr(Path, "replace", killed)
    book.keep(ABOUT.fingerprint, ["of-module", "of-class"])
    assert {"of-class", "of-module"} <= set(written(book))


def test_names_that_stay_and_come_first_are_not_written_again(book, monkeypatch):
    for name in ("of-module", "of-class", "of-test"):
        book.note(ABOUT, name)
    monkeypatch.setattr(journal.AppendedFile, "append", None)
    book.keep(ABOUT.fingerprint, ["of-class", "of-module"])
    assert written(book) == ["of-module", "of-class"]


def test_a_file_that_is_replaced_is_appended_to(book):
    for name in ("of-test", "of-class"):
        book.note(ABOUT, name)
    before = open_files()
    book.keep(ABOUT.fingerprint, ["of-class"])
    book.note(ABOUT, "another")
    assert written(book) == ["of-class", "another"]
    assert open_files() == before
    assert sorted(path.name for path in book._path.iterdir()) == ["0123.names", "alive"]


def test_what_is_left_takes_no_more_room_than_it_needs(left_by, state):
    left_by("aaaaaa", "one")
    assert (state / "aaaaaa" / "0123.names").stat().st_size < 100


def test_what_was_killed_before_anything_was_written_is_removed(state, become, left_by):
    left_by("aaaaaa", "one")
    (state / "aaaaaa" / "0123.names").write_bytes(bytes(100))
    become("bbbbbb")
    assert list(dead()) == []
    assert list(state.iterdir()) == []


def test_what_was_killed_before_it_had_its_name_is_removed_an_hour_later(state, book):
    book.hold()
    now = state.stat().st_mtime
    for name, age in ((".old", 3700), (".new", 3500)):
        (state / name).mkdir()
        (state / name / "alive").touch()
        os.utime(state / name, (now - age, now - age))
    assert list(dead()) == []
    assert sorted(path.name for path in state.iterdir()) == [".new", process_token()]
