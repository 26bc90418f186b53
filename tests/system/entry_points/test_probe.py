"""``doctor --probe``: each promise on each cache, with nothing of anybody else's."""

import gc
import json
import sys

import pytest

from ci_cache_isolation.probing.processes import GoneError, Process
from tests.probes import backend, probed, project_with, run, shelf

CONFTEST = """
from django.conf import settings

def pytest_configure():
    print("a word of the project")
    settings.configure(USE_TZ=True)
"""


@pytest.mark.parametrize(
    ("caches", "code", "shown"),
    [
        (
            {"default": backend("locmem.LocMemCache")},
            0,
            "    ok          1  a test sees what its class stored, as it was left\n",
        ),
        (
            {
                "default": backend("dummy.DummyCache"),
                "refused": backend("redis.RedisCache", "redis://127.0.0.1:1/0"),
            },
            5,
            "    can't be reached: redis.exceptions.ConnectionError: ",
        ),
    ],
)
def test_a_line_for_each_promise_is_shown(tmp_path, caches, code, shown):
    done = run(project_with(tmp_path, caches))
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith("settings: settings\n")
    assert shown in done.stdout


def test_projects_without_a_settings_module_are_probed_as_their_tests_set_them_up(
    tmp_path,
):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --cache-isolation\n")
    found = probed(tmp_path)
    assert (found.code, found.errors) == (0, "")
    assert set(found.states("default").values()) == {"kept"}


def test_json_is_there_without_a_probe_as_well(tmp_path):
    folder = project_with(tmp_path, {"default": backend("locmem.LocMemCache")})
    done = run(folder, "--json", is_probe=False)
    said = json.loads(done.stdout)
    assert (done.returncode, said["well"], said["caches"]) == (0, True, [])
    assert "cache 'default': memory (its backend)" in said["lines"]


def test_a_broken_promise_makes_the_command_fail(tmp_path):
    found = probed(project_with(tmp_path, {"default": shelf(tmp_path, "versions")}))
    assert (found.code, found.errors) == (1, "")
    assert "versions" in found.broken("default")
    assert "'none'" in found.cache("default")["advice"]


def test_a_process_that_has_ended_is_told_nothing_twice(tmp_path, capfd):
    process = Process([sys.executable, "-c", ""], tmp_path, "gone", is_isolated=False)
    with pytest.raises(GoneError):
        process.answer(30)
    process.tell("something")
    process.end()
    del process
    gc.collect()
    assert capfd.readouterr().err == ""
