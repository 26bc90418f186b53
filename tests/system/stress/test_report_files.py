"""Reports on disk: for this user only, and options come from who types a command."""

import os
import stat

import pytest

from tests.commands import copied

ORDER = ".cache-isolation/stress/orders/001-reverse.json"
REPLAY = ("-m", "ci_cache_isolation", "replay")


@pytest.fixture
def open_to_all():
    before = os.umask(0)
    yield
    os.umask(before)


def test_no_file_of_a_report_can_be_read_by_others(tmp_path, open_to_all):
    project = copied("small", tmp_path)
    options = ("--orders", 0, "--split", 2, "--seed", 0, "--runner", "django")
    done = project.stress(*options, "--cache", "shared", "cases.test_leaking")
    assert done.code == 1, done.err
    command = ("-m", "ci_cache_isolation", "audit", "--runner", "django")
    audited = project.python(*command, "cases.test_leaking")
    assert audited.code == 1, audited.err
    folder = project.folder / ".cache-isolation"
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert len(found) > 20
    assert {
        oct(mode) for path, mode in found.items() if path.is_file() and mode != 0o600
    } == set()
    assert {oct(mode) for path, mode in found.items() if path.is_dir()} == {"0o700"}


def test_options_of_a_recorded_order_are_typed_not_read(tmp_path):
    project = copied("small", tmp_path)
    options = ("--orders", 0, "--split", 0, "--seed", 0, "--runner", "django")
    given = ("--settings=small.settings", "cases.test_clean")
    done = project.stress(*options, "--", *given)
    assert done.code == 0, done.err
    refused = project.python(*REPLAY, ORDER)
    assert (refused.code, refused.out) == (2, "")
    command = f"cache-isolation replay {ORDER} -- {' '.join(given)}\n"
    assert refused.err.endswith(f"give them yourself: {command}")
    assert project.typed(command).code == 0
    resumed = project.stress("--resume")
    assert resumed.code == 2
    command = f"cache-isolation stress --resume -- {' '.join(given)}\n"
    assert resumed.err.endswith(f"give them yourself: {command}")
    assert project.typed(command).code == 0
