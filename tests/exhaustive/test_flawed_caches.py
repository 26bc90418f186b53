"""Each promise is found broken on a backend that breaks it, and kept on its twin."""

import pytest

from tests.probes import FLAWS, probed, project_with, shelf


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flawed")
    caches = {flaw: shelf(folder, flaw) for flaw in FLAWS}
    caches["default"] = shelf(folder)
    caches["clear"] = {
        "BACKEND": "flawed_cache.UnclearedFiles",
        "LOCATION": str(folder / "files"),
    }
    caches["rollbacks"] = {
        "BACKEND": "flawed_cache.ForgetfulTable",
        "LOCATION": "table",
    }
    return probed(project_with(folder, caches))


@pytest.mark.parametrize("flaw", [*FLAWS, "clear", "rollbacks"])
def test_a_flaw_is_found_by_the_promise_that_it_breaks(found, flaw):
    assert flaw in found.broken(flaw), found.cache(flaw)


def test_nothing_is_found_where_there_is_no_flaw(found):
    assert found.broken("default") == {}
    states = found.states("default")
    assert {*states.values()} == {"kept"}
    assert {*FLAWS, "clear"} - {"opened", "rollbacks"} <= states.keys()


def test_a_flaw_makes_the_command_fail(found):
    assert found.code == 1
    assert found.errors == ""
