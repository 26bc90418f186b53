"""A file that is appended to, and what is there when its writer is killed."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ci_cache_isolation.isolation.appended_file import AppendedFile
from tests import appended_files
from tests.appended_files import content

path = appended_files.path


def test_what_is_appended_stands_there_at_once(path):
    file = AppendedFile(path)
    file.append(b"one\n")
    file.append(b"")
    file.append(b"two\n")
    assert content(path) == b"one\ntwo\n"
    assert file.length == 8
    file.close()
    assert content(path) == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_grows_beyond_any_piece(path):
    file = AppendedFile(path)
    lines = [b"%d" % number * 5000 for number in range(100)]
    for line in lines:
        file.append(line)
    assert content(path) == b"".join(lines)
    file.close()


def test_what_is_cut_away_is_not_there_any_more(path):
    file = AppendedFile(path)
    file.append(b"head\n")
    file.append(b"a long line that goes\n")
    file.keep(5, b"")
    assert content(path) == b"head\n"
    file.append(b"short\n")
    assert content(path) == b"head\nshort\n"
    file.close()


def test_lines_that_are_kept_stay_whether_they_come_first_or_last(path):
    file = AppendedFile(path)
    for line in (b"head\n", b"one\n", b"two\n", b"three\n"):
        file.append(line)
    file.keep(5, b"two\none\n")
    assert content(path) == b"head\none\ntwo\n"
    file.append(b"four\n")
    file.keep(5, b"four\n")
    assert content(path) == b"head\nfour\n"
    file.append(b"five\n")
    assert content(path) == b"head\nfour\nfive\n"
    file.close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_threads_do_not_write_over_each_other(path):
    file = AppendedFile(path)
    ready = threading.Barrier(8)

    def write(number):
        ready.wait()
        for _ in range(500):
            file.append(b"%d\n" % number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    lines = content(path).splitlines()
    assert sorted(lines) == [b"%d" % (number // 500) for number in range(4000)]
    file.close()


def test_a_full_disk_is_an_error_and_no_end_of_the_process(tmp_path, monkeypatch):
    file = AppendedFile(tmp_path / "file")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        file.append(b"one\n")
    file.close()
