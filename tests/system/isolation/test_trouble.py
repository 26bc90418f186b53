"""Servers and disks that fail: what tests see is the backend's own error, no other.

What isolation could not do because of it is said when the tests are over.
"""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest

from tests.servers import Server, free_port, running

REMEDY = "`cache-isolation purge` deletes it later."
SETTINGS = """
    import os
    from ci_cache_isolation.settings import isolate

    CACHES = isolate({{
        "default": {{"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        "shared": {{"BACKEND": "{backend}", "LOCATION": "{location}"}},
    }})
    """
SUITE = """
    import os, resource, signal, time, unittest
    from django.core.cache import caches

    def do(what):
        if what == "nothing":
            return
        caches["shared"].set("before", 1)
        if what == "kill":
            os.kill(int(os.environ["SERVER_PID"]), signal.SIGKILL)
            time.sleep(0.2)
        if what == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        if what == "fill":
            caches["shared"].set("big", os.urandom(100000).hex())

    class ATests(unittest.TestCase):
        def test_a_needs_it(self):
            do("{first}")

        def test_b_needs_it_not(self):
            caches["default"].set("a", 1)
            self.assertEqual(caches["default"].get("a"), 1)

    class BTests(unittest.TestCase):
        def test_a_needs_it(self):
            do("{second}")

        def test_b_needs_it_not(self):
            caches["default"].set("a", 1)
            self.assertEqual(caches["default"].get("a"), 1)
    """
BACKENDS = {
    "redis": ("django.core.cache.backends.redis.RedisCache", "redis"),
    "django-redis": ("django_redis.cache.RedisCache", "redis"),
    "django-valkey": ("django_valkey.cache.ValkeyCache", "valkey"),
    "pymemcache": ("django.core.cache.backends.memcached.PyMemcacheCache", "memcached"),
    "pylibmc": ("django.core.cache.backends.memcached.PyLibMCCache", "memcached"),
}
FILES = "django.core.cache.backends.filebased.FileBasedCache"
A, B = "ATests.test_a_needs_it", "BTests.test_a_needs_it"
SECRET = "open-sesame"


@pytest.fixture
def trouble(project):
    """A project whose tests get into trouble."""

    def write(backend, location, *, first="use", second="use"):
        settings = SETTINGS.format(backend=backend, location=location)
        project.write("settings", settings)
        project.write("test_suite", SUITE.format(first=first, second=second))
        return project

    return write


def failed(done):
    """Return the tests that failed, and the last line of what each of them raised."""
    found = re.findall(
        r"^(?:ERROR|FAIL): \w+ \(test_suite\.([\w.]+)\)\n-+\n(.*?)\n\n(?=[=-])",
        done.stderr,
        re.DOTALL | re.MULTILINE,
    )
    errors = {test: text.splitlines()[-1] for test, text in found}
    # Addresses in memory are not the same twice.
    return {test: re.sub(r"0x\w+", "0x", text) for test, text in errors.items()}


def notices(done):
    return re.findall(r"CacheIsolationWarning: (.*)", done.stderr)


@pytest.mark.parametrize("name", BACKENDS)
def test_a_server_that_is_down_fails_the_tests_that_need_it(trouble, name):
    backend, kind = BACKENDS[name]
    address = f"127.0.0.1:{free_port()}"
    location = address if kind == "memcached" else f"{kind}://{address}"
    project = trouble(backend, location)
    began = time.monotonic()
    done = project.manage("test", PYTHONPATH=".")
    assert time.monotonic() - began < 30
    off = project.manage("test", PYTHONPATH=".", CI_CACHE_ISOLATION="off")
    assert failed(done) == failed(off)
    assert A in failed(done)
    assert failed(done).keys() <= {A, B}
    [notice] = notices(done)
    assert f"cache 'shared' ({backend}, {location}) could not be deleted: " in notice
    assert ".." not in notice
    assert notice.endswith(REMEDY)


@pytest.mark.parametrize("name", BACKENDS)
def test_a_server_that_dies_fails_the_tests_that_need_it_from_then_on(trouble, name):
    backend, kind = BACKENDS[name]

    def run(**environment):
        with running(kind) as server:
            # The same address each time, so that errors can be compared.
            project = trouble(backend, server.location, first="kill")
            done = project.manage(
                "test", PYTHONPATH=".", SERVER_PID=str(server.pid), **environment
            )
            (project.path / "settings.py").unlink()
            project.write("settings", "SECRET_KEY = 'not a secret'\n")
            (project.path / "test_suite.py").unlink()
            address = server.location.rpartition("/")[2]
            errors = {
                test: error.replace(address, "address").replace(
                    address.rpartition(":")[2], "port"
                )
                for test, error in failed(done).items()
            }
        return done, errors, server.location

    done, errors, location = run()
    _, off, _ = run(CI_CACHE_ISOLATION="off")
    if kind == "memcached":
        # It was our tidying up that came first and met the connection that broke.
        # libmemcached asks no server that it found dead a moment ago.
        assert re.search("Connection refused|SERVER HAS FAILED", errors[B])
        assert errors.keys() == off.keys() == {B}
    else:
        assert errors == off
        assert errors.keys() == {B}
    [notice] = notices(done)
    assert f"cache 'shared' ({backend}, {location}) could not be deleted: " in notice
    assert notice.endswith(REMEDY)


@pytest.fixture(scope="module")
def guarded(redis_server):
    """A Redis that wants a password."""
    with running("redis") as server:
        with server.client() as client:
            client.config_set("requirepass", SECRET)
        yield Server(server.kind, server.location.removeprefix("redis://"), server.pid)


@pytest.mark.parametrize("name", ["redis", "django-redis"])
@pytest.mark.parametrize("runner", ["django", "pytest"])
@pytest.mark.parametrize("password", [f"wrong-{SECRET}", SECRET])
def test_passwords_appear_nowhere(trouble, guarded, name, runner, password):
    """Neither the wrong one nor the right one: not on a screen, not in a journal."""
    backend, _ = BACKENDS[name]
    project = trouble(backend, f"redis://:{password}@{guarded.location}")

    def run(**environment):
        if runner == "pytest":
            return project.pytest("test_suite.py", **environment)
        return project.manage("test", PYTHONPATH=".", **environment)

    done = run()
    if password == SECRET:
        assert done.returncode == 0, done.stdout + done.stderr
    else:
        assert done.returncode == 1
        output = done.stdout + done.stderr
        assert "invalid username-password pair or user is disabled" in output
        assert f"({backend}, redis://:***@{guarded.location})" in output
        assert REMEDY in output.replace("\n", " ")
    written = [
        path.read_text()
        for path in (project.path / ".state").rglob("*")
        if path.is_file()
    ]
    for text in [done.stdout, done.stderr, *written]:
        assert SECRET not in text


@pytest.mark.parametrize("way", ["limit", "tmpfs"])
def test_a_full_disk_fails_the_test_that_fills_it(trouble, tmp_path, way, request):
    location = tmp_path / "files"
    location.mkdir()
    if way == "tmpfs":
        mount(location, request)
    project = trouble(FILES, location, second="fill")
    if way == "limit":
        suite = project.path / "test_suite.py"
        text = suite.read_text().replace(
            'if what == "fill":', 'if what == "fill":\n        do("limit")'
        )
        suite.write_text(text)
    done = project.manage("test", PYTHONPATH=".")
    off = project.manage("test", PYTHONPATH=".", CI_CACHE_ISOLATION="off")
    expected = {
        "limit": "OSError: [Errno 27] File too large",
        "tmpfs": "OSError: [Errno 28] No space left on device",
    }[way]
    assert failed(done) == failed(off) == {B: expected}
    assert notices(done) == []
    # What plain Django left is there; of ours there is nothing.
    assert all(path.suffix == ".djcache" for path in location.iterdir())


def mount(folder, request):
    """Mount a disk of 64 KiB, or skip."""
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(command, check=False).returncode:
        pytest.skip("may not mount a small disk")
    request.addfinalizer(lambda: subprocess.run(["umount", str(folder)], check=True))


def test_a_directory_that_is_not_writable_fails_the_tests_that_write(trouble, tmp_path):
    location = tmp_path / "files"
    location.mkdir(mode=0o555)
    project = trouble(FILES, location, second="nothing")
    # Root may write anywhere, unless that is taken away.
    taken = "-dac_override,-dac_read_search"
    command = [sys.executable, "-m", "django", "test"]
    if not os.getuid():
        if shutil.which("setpriv") is None:
            pytest.skip("root may write anywhere")
        command = ["setpriv", f"--bounding-set={taken}", *command]

    def run(**environment):
        done = subprocess.run(
            command,
            cwd=project.path,
            env={**os.environ, **project.own, "PYTHONPATH": ".", **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        # The names of temporary files are ours to choose, and theirs.
        return done, {
            test: re.sub(r"'(.*)/[^/]*'$", r"'\1/'", text)
            for test, text in failed(done).items()
        }

    done, errors = run()
    _, off = run(CI_CACHE_ISOLATION="off")
    expected = f"PermissionError: [Errno 13] Permission denied: '{location}/'"
    assert errors == off == {A: expected}
    assert notices(done) == []
