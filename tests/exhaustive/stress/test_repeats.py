"""Plugins that repeat tests, each in both ways."""

import pytest

from tests.system.stress.test_repeats import PLUGINS, found_in_forks


@pytest.mark.parametrize("how", ["option", "marker"])
@pytest.mark.parametrize("plugin", PLUGINS)
def test_what_is_repeated_by_a_plugin_is_found_in_forks(tmp_path, plugin, how):
    found_in_forks(tmp_path, plugin, how)
