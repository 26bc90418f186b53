"""Plugins that repeat tests, each in its other way."""

import pytest

from tests.system.stress.test_repeats import found_in_forks


@pytest.mark.parametrize(
    ("plugin", "how"),
    [
        ("pytest-rerunfailures", "marker"),
        ("flaky", "option"),
        ("pytest-repeat", "marker"),
    ],
)
def test_what_is_repeated_by_a_plugin_is_found_in_forks(tmp_path, plugin, how):
    found_in_forks(tmp_path, plugin, how)
