"""Plugins that repeat tests hide nothing from stress, and keep no order from a fork."""

from tests.commands import copied

HIDING = """
from django.core.cache import cache

def test_a_leaves_a_token():
    cache.set("token", 1)

def test_b_takes_it_away():
    found = cache.get("token")
    cache.delete("token")
    assert found is None
"""
MARKED = "import pytest\npytestmark = pytest.mark.{}\n"
PLUGINS = {
    "pytest-rerunfailures": ("--reruns 2", "flaky(reruns=2)"),
    "flaky": ("--force-flaky --max-runs 3", "flaky(max_runs=3)"),
    "pytest-repeat": ("--count 2", "repeat(2)"),
}


# tests/exhaustive has each plugin, and each way.
def test_what_is_repeated_by_a_plugin_is_found_in_forks(tmp_path):
    found_in_forks(tmp_path, "pytest-rerunfailures", "option")


def found_in_forks(tmp_path, plugin, how):
    small = copied("small", tmp_path)
    options, marker = PLUGINS[plugin]
    added = "" if how == "option" else MARKED.format(marker)
    (small.folder / "cases" / "test_hiding.py").write_text(added + HIDING)
    ini = small.folder / "pytest.ini"
    strict = "--strict-markers"
    ini.write_text(
        ini.read_text().rstrip() + f" {strict} {options if how == 'option' else ''}\n"
    )
    wanted = ("--runner", "pytest", "--cache", "shared", "--orders", "0", "--split", 0)
    done = small.stress(*wanted, "cases/test_hiding.py")
    assert (done.code, done.err) == (1, ""), done.out
    [finding] = small.report()["findings"]
    assert finding["test"] == "cases/test_hiding.py::test_b_takes_it_away"
    assert finding["verdict"] == "victim"
    assert "Tests are not repeated here, whatever " in done.out
    assert plugin in done.out
    assert "cold process. " not in done.out
