"""Whoever says off, and whoever asks again afterwards: plain Django is back."""

import pytest

LABELS = {
    "django": ("manage.py", "test", "leaks.tests_more"),
    "pytest": ("-m", "pytest", "-q", "-p", "no:randomly", "leaks/tests_more.py"),
}


@pytest.mark.parametrize(
    ("command", "method"),
    [
        ((*LABELS["django"], "--parallel", "2"), "fork"),
        ((*LABELS["django"], "--parallel", "2"), "spawn"),
        (LABELS["pytest"], ""),
    ],
)
def test_settings_say_off_and_the_environment_beats_them(kinds, command, method):
    off = {"KINDS_ENABLED": "off", "START_METHOD": method}
    assert kinds.python(*command, **off).code == 1
    assert kinds.python(*command, **off, CI_CACHE_ISOLATION="on").code == 0


def test_pytests_command_line_beats_the_environment(kinds):
    command = LABELS["pytest"]
    done = kinds.python(*command, "--no-cache-isolation", CI_CACHE_ISOLATION="on")
    assert done.code == 1
    done = kinds.python(*command, "--cache-isolation", CI_CACHE_ISOLATION="off")
    assert done.code == 0


def test_a_decorator_does_not_switch_on_what_the_command_line_switched_off(kinds):
    (kinds.folder / "leaks" / "tests_decorated.py").write_text(
        "from ci_cache_isolation import isolated\n"
        "from django.core.cache import cache\n"
        "@isolated\n"
        "def test_one(): assert cache.add('decorated', 1)\n"
        "@isolated\n"
        "def test_two(): assert cache.add('decorated', 1)\n"
    )
    command = (*LABELS["pytest"][:-1], "leaks/tests_decorated.py")
    assert kinds.python(*command).code == 0
    done = kinds.python(*command, "--no-cache-isolation")
    assert done.code == 1
    assert "1 failed, 1 passed" in done.out
