"""A hundred orders leave nothing but their report, however the run ends."""

import os
import signal
import time

import pytest

from tests.commands import copied

pytestmark = pytest.mark.exhaustive

# With isolation switched on: a replay is the user's own command, and what that leaves
# in a project without isolation is what the tests themselves leave there.
REDIS = """
from ci_cache_isolation.settings import isolate

CACHES = isolate({{
    "default": {{
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": {location!r},
    }}
}})
"""
OPTIONS = ("--runner", "django", "--orders", "100", "--split", "0", "--seed", "1")


@pytest.fixture
def small(tmp_path, redis_server):
    project = copied("small", tmp_path)
    settings = project.folder / "small" / "settings.py"
    text = settings.read_text() + REDIS.format(location=redis_server.location)
    settings.write_text(text)
    return project


def left(project, before):
    """Return the files that are not the report's, and the processes."""
    files = {path for path in files_of(project) - before if path.suffix != ".pyc"}
    report = project.folder / ".cache-isolation"
    return {each for each in files if report not in each.parents}, project.at_work()


def files_of(project):
    return {path for path in project.folder.rglob("*") if path.is_file()}


def variables(project):
    state = project.folder.parent / "state"
    return {"CI_CACHE_ISOLATION_STATE": str(state)}


def test_a_hundred_orders_leave_nothing(small, redis_server):
    client = redis_server.client()
    client.flushall()
    before = files_of(small)
    labels = ("cases.test_leaking.CacheTests", "cases.test_clean")
    done = small.stress(*OPTIONS, "--cache", "shared", *labels, **variables(small))
    assert (done.code, done.err) == (1, "")
    assert len(small.report()["runs"]) == 103
    assert left(small, before) == (set(), [])
    assert client.keys() == []
    client.close()


def test_an_interrupted_run_leaves_nothing(small, redis_server):
    client = redis_server.client()
    client.flushall()
    before = files_of(small)
    options = (*OPTIONS, "--cache", "shared")
    labels = ("cases.test_leaking", "cases.test_hanging")
    process = small.started(*options, *labels, **variables(small))
    while not (small.folder / "pid").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    files, processes = left(small, before)
    # The test that hangs writes them itself.
    assert {path.stem for path in files} == {"pid"}
    assert processes == []
    assert client.keys() == []
    client.close()
