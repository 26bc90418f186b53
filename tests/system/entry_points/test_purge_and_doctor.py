"""The commands that look after caches: what killed runs left, what becomes of each."""

import json
import signal
import sys
import textwrap
from collections.abc import Callable
from typing import NamedTuple

import pytest

SETTINGS = """
    from ci_cache_isolation.settings import isolate

    CACHES = isolate({{
        "default": {{
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "{location}",
        }},
        "in_files": {{
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": "{files}",
        }},
        "in_memory": {{
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        }},
    }})
    """
KILLED = """
    import os, signal, unittest
    from django.core.cache import caches

    class Tests(unittest.TestCase):
        def test_killed(self):
            for number in range(3):
                caches["default"].set(f"line\\n{{number}} \\\\", number)
            caches["in_files"].set("key", 1)
            os.kill(os.getpid(), signal.{signal})
    """


class Server(NamedTuple):
    location: str
    entries: Callable[[], list[bytes]]


@pytest.fixture
def server(redis_server):
    client = redis_server.client()
    client.flushdb()
    client.set("theirs", "untouched", ex=1000)
    return Server(redis_server.location, lambda: sorted(client.keys("*")))


@pytest.fixture
def left(project, server, tmp_path):
    """A project whose run was killed in the middle of a test."""
    files = tmp_path / "cache files"
    project.files = files
    project.write("settings", SETTINGS.format(location=server.location, files=files))
    project.write("test_killed", KILLED.format(signal="SIGKILL"))
    done = project.manage("test")
    assert done.returncode == -signal.SIGKILL
    assert len(server.entries()) == 4
    assert [path.suffix for path in files.rglob("*.djcache")] == [".djcache"]
    return project


def command(project, *arguments, **environment):
    return project.run("-m", "ci_cache_isolation", *arguments, **environment)


@pytest.mark.fresh_interpreter("the command as it is typed")
def test_purge_deletes_what_a_killed_run_left_and_nothing_else(left, server):
    done = command(left, "purge")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == [
        f"Deleted what stood under 1 name in cache 'in_files' (files, {left.files}).",
        (
            "Deleted what stood under 3 names in cache 'default' "
            f"(django.core.cache.backends.redis.RedisCache, {server.location})."
        ),
    ]
    assert server.entries() == [b"theirs"]
    assert list(left.files.rglob("*")) == []
    again = command(left, "purge")
    assert (again.returncode, again.stdout) == (
        0,
        "No killed run has left anything.\n",
    )


def test_purge_under_pytest_deletes_what_a_killed_run_left(left, server):
    (left.path / "pytest.ini").write_text("[pytest]\n")
    (left.path / "conftest.py").write_text("print('not of the command')\n")
    done = command(left, "purge")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 names in cache 'default'" in done.stdout
    assert "not of the command" not in done.stdout
    assert server.entries() == [b"theirs"]
    assert list(left.files.rglob("*")) == []


def test_the_next_run_deletes_it_too(left, server):
    left.write("test_more", KILLED.format(signal="SIG_DFL").replace("os.kill", "print"))
    done = left.manage("test", "test_more")
    assert done.returncode == 0, done.stderr
    assert server.entries() == [b"theirs"]
    assert list(left.files.rglob("*.djcache")) == []


def test_purge_does_not_touch_a_run_that_goes_on(project, left, server):
    left.write(
        "test_alive",
        """
        import subprocess, sys, unittest
        from django.core.cache import cache

        class Tests(unittest.TestCase):
            def test_purge(self):
                cache.set("alive", 1)
                subprocess.run(
                    [sys.executable, "-m", "ci_cache_isolation", "purge"], check=True
                )
                self.assertEqual(cache.get("alive"), 1)
        """,
    )
    done = left.manage("test", "test_alive")
    assert done.returncode == 0, done.stderr
    assert server.entries() == [b"theirs"]


def test_purge_says_what_it_cannot_reach(left, server):
    (left.path / "settings.py").write_text("SECRET_KEY = 'x'\nCACHES = {}\n")
    left.write(
        "settings",
        """
        CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
        """,
    )
    done = command(left, "purge")
    assert done.returncode == 1
    assert (
        "Left 3 names in cache 'default' "
        f"(django.core.cache.backends.redis.RedisCache, {server.location}): "
        "no cache in these settings is on that server." in done.stdout
    )
    assert len(server.entries()) == 4


def test_purge_reads_nothing_that_others_could_have_written(left, server):
    (left.path / ".state").chmod(0o755)
    done = command(left, "purge")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"cache-isolation: What killed runs left can't be read: {left.path}/.state is "
        "not a directory of this user's alone. Others could have written there what is "
        "to be deleted. Let CI_CACHE_ISOLATION_JOURNALS name the directory that your "
        "runs use, with mode 0700.\n"
    )
    assert len(server.entries()) == 4


@pytest.mark.parametrize("name", ["purge", "doctor"])
def test_a_command_without_settings_says_what_to_do(project, name):
    del project.own["DJANGO_SETTINGS_MODULE"]
    done = command(project, name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"cache-isolation: {project.path} holds no manage.py, no runtests.py and no "
        "pytest configuration with DJANGO_SETTINGS_MODULE, and that variable is not "
        "set, so it is unknown how its tests are run. Go to the folder of manage.py, "
        "or name the settings of your tests, as in "
        "DJANGO_SETTINGS_MODULE=tests.settings, in front of this command.\n"
    )


@pytest.mark.parametrize("name", ["purge", "doctor"])
def test_a_command_whose_settings_cannot_be_imported_says_why(project, name):
    done = command(project, name, "--settings", "nowhere.settings")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "cache-isolation: Settings 'nowhere.settings' can't be used: No module named "
        "'nowhere'. This command asks them for your caches. Call it where your tests "
        f"run, with their Python (this is {sys.executable}), or select others with "
        "--settings.\n"
    )


@pytest.mark.parametrize("name", ["purge", "doctor"])
def test_an_option_that_means_nothing_is_not_blamed_on_the_settings(project, name):
    project.write(
        "settings",
        "from ci_cache_isolation.settings import isolate\nCACHES = isolate({})\n",
    )
    done = command(project, name, "--settings", "settings", CI_CACHE_ISOLATION="maybe")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cache-isolation: environment CI_CACHE_ISOLATION is 'maybe', which is neither "
        "on nor off. Isolation must not be guessed: what you test would depend on it. "
        "Set it to 'on' or 'off', or leave it out.\n"
    )


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')"),
        ("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = settings\n"),
        ("tox.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = settings\n"),
        ("setup.cfg", "[tool:pytest]\nDJANGO_SETTINGS_MODULE = settings\n"),
        (
            "pyproject.toml",
            "[tool.pytest.ini_options]\nDJANGO_SETTINGS_MODULE = 'settings'\n",
        ),
    ],
)
def test_settings_are_found_where_a_project_names_them(project, file, text):
    del project.own["DJANGO_SETTINGS_MODULE"]
    (project.path / file).write_text(text)
    done = command(project, "doctor")
    assert done.stdout.splitlines()[0] == "settings: settings", done.stderr


def test_doctor_shows_every_option_and_every_cache_and_opens_none(project):
    project.own["CI_CACHE_ISOLATION_SCOPE"] = "class"
    project.write(
        "settings",
        """
        from ci_cache_isolation.settings import isolate

        CACHES = isolate(
            {
                "default": {"BACKEND": "opened.Cache"},
                "locks": {
                    "BACKEND": "django.core.cache.backends.redis.RedisCache",
                    "LOCATION": "redis://somebody:secret@unreachable.invalid:1/0",
                },
            },
            stores={"locks": "none"},
        )
        """,
    )
    project.write(
        "opened",
        """
        from django.core.cache.backends.locmem import LocMemCache

        class Cache(LocMemCache):
            def __init__(self, *args):
                raise AssertionError("opened")
        """,
    )
    done = command(project, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "settings: settings",
        "tests are run by: django",
        "isolation: on (default)",
        "switched on by: isolate() in the settings",
        "scope: class (environment CI_CACHE_ISOLATION_SCOPE)",
        "server: looked for (default)",
        "reset_memoised: off (default)",
        "cache 'default': memory (its backend)",
        "    opened.Cache",
        "cache 'locks': none (isolate(stores=...))",
        (
            "    django.core.cache.backends.redis.RedisCache "
            "redis://somebody:***@unreachable.invalid:1/0"
        ),
    ]


@pytest.mark.parametrize(
    ("settings", "file", "by"),
    [
        ("", "manage.py", "NOBODY: "),
        ("", "pytest.ini", "pytest's plugin, under pytest"),
        (
            "TEST_RUNNER = 'ci_cache_isolation.runner.IsolatedRunner'\n",
            "manage.py",
            "TEST_RUNNER",
        ),
        ("TEST_RUNNER = 'no.such.Runner'\n", "manage.py", "NOBODY: "),
    ],
)
def test_doctor_says_who_switches_isolation_on(project, settings, file, by):
    project.write("settings", settings)
    (project.path / file).write_text("[pytest]\nDJANGO_SETTINGS_MODULE = settings\n")
    done = command(project, "doctor")
    assert f"switched on by: {by}" in done.stdout, done.stderr
    assert done.returncode == by.startswith("NOBODY")


def test_doctor_shows_what_pytests_configuration_says_of_isolation(project):
    (project.path / "pytest.ini").write_text(
        "[pytest]\nDJANGO_SETTINGS_MODULE = settings\n"
        "cache_isolation_scope = class\ncache_isolation_stores = default=none\n"
    )
    done = command(project, "doctor")
    assert "scope: class (ini cache_isolation_scope)" in done.stdout
    assert "cache 'default': none (ini cache_isolation_stores)" in done.stdout


def test_doctor_refuses_what_pytests_configuration_says_wrongly(project):
    (project.path / "pytest.ini").write_text(
        "[pytest]\nDJANGO_SETTINGS_MODULE = settings\ncache_isolation_scope = day\n"
    )
    done = command(project, "doctor")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("cache-isolation: ini cache_isolation_scope is 'day'")


def test_doctor_says_that_pytests_plugin_is_left_out(project):
    (project.path / "pytest.ini").write_text(
        "[pytest]\nDJANGO_SETTINGS_MODULE = settings\n"
        "addopts = -p no:ci_cache_isolation\n"
    )
    done = command(project, "doctor")
    assert done.returncode == 1
    assert (
        "switched on by: NOBODY: no isolate(), and -p no:ci_cache_isolation, so pytest "
        "runs without it"
    ) in done.stdout.splitlines()


def test_doctor_shows_the_runner_that_is_asked_for(project):
    (project.path / "pytest.ini").write_text("[pytest]\naddopts = --ds=settings\n")
    (project.path / "manage.py").write_text("'DJANGO_SETTINGS_MODULE', 'settings'")
    for runner, code in (("pytest", 0), ("django", 1)):
        done = command(project, "doctor", "--runner", runner)
        assert done.returncode == code
        assert f"tests are run by: {runner}" in done.stdout


@pytest.mark.parametrize("has_caches", [True, False])
def test_doctor_shows_the_lines_that_switch_isolation_on(project, has_caches):
    dummy = "{'default': {'BACKEND': 'django.core.cache.backends.dummy.DummyCache'}}"
    if has_caches:
        project.write("settings", f"CACHES = {dummy}\n")
    (project.path / "manage.py").touch()
    done = command(project, "doctor")
    assert done.returncode == 1
    start = "    add to your test settings, below CACHES:\n"
    _, _, shown = done.stdout.partition(start)
    lines, _, _ = shown.partition("scope: ")
    added = textwrap.dedent(lines)
    assert ("global_settings" in added) is not has_caches
    project.write("settings", added)
    assert command(project, "doctor").returncode == 0


def test_doctor_finds_what_is_not_isolated(project):
    project.write(
        "settings",
        """
        CACHES = {
            "default": {"BACKEND": "builtins.dict"},
            "missing": {"BACKEND": "nowhere.Cache"},
            "callable": {"BACKEND": "settings.made"},
        }

        def made(location, params):
            return None
        """,
    )
    done = command(project, "doctor")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert "cache 'default': NOT ISOLATED: there is no store for its backend" in lines
    assert "cache 'missing': can't be imported: No module named 'nowhere'" in lines
    assert "cache 'callable': NOT ISOLATED: there is no store for its backend" in lines


def test_doctor_refuses_options_that_cannot_be_followed(project):
    stores = json.dumps({"default": "files"})
    project.write("settings", f"CACHE_ISOLATION = {{'stores': {stores}}}\n")
    done = command(project, "doctor")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cache-isolation: settings.CACHE_ISOLATION['stores'] asks for the store "
        "'files' for alias 'default', whose backend "
        "django.core.cache.backends.locmem.LocMemCache can't be isolated in that way. "
        "Its tests would meet each other's entries. "
        "Leave it out, or write 'memory' or 'none'.\n"
    )


def test_a_store_for_a_backend_that_is_no_class_is_refused_in_words(project):
    project.write(
        "settings",
        """
        from unittest import mock
        made = mock.Mock()
        CACHES = {"default": {"BACKEND": "settings.made"}}
        CACHE_ISOLATION = {"stores": {"default": "memory"}}
        """,
    )
    done = command(project, "doctor")
    assert (done.returncode, done.stdout) == (2, "")
    assert "whose backend unittest.mock.Mock can't be isolated in that" in done.stderr
    assert done.stderr.endswith("Leave it out, or write 'none'.\n")
