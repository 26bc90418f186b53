"""Who says whether caches are isolated, and in which words."""

import pytest

from ci_cache_isolation.errors import IsolationError, OptionError
from ci_cache_isolation.isolation.options import ENABLED_VARIABLE, Enabled, enabled

NOT_A_SWITCH = (
    "{} is {}, which is neither on nor off. "
    "Isolation must not be guessed: what you test would depend on it. "
    "Set it to 'on' or 'off', or leave it out."
)
WORDS = [
    *((word, True) for word in ("on", "true", "yes", "1", "ON", "True", " yes ")),
    *((word, False) for word in ("off", "false", "no", "0", "OFF", "False", "\tno\n")),
]
NOT_WORDS = ["maybe", "2", "o n", "-1", "enabled"]


@pytest.fixture(autouse=True)
def nobody_says_anything(monkeypatch, settings):
    monkeypatch.delenv(ENABLED_VARIABLE, raising=False)
    settings.CACHE_ISOLATION = {}


def test_isolation_is_on_where_nobody_says_anything():
    assert enabled() == Enabled(value=True, source="default")


def test_settings_come_before_the_default(settings):
    settings.CACHE_ISOLATION = {"enabled": False}
    assert enabled() == Enabled(
        value=False, source="settings.CACHE_ISOLATION['enabled']"
    )


def test_the_ini_file_comes_before_settings(settings):
    settings.CACHE_ISOLATION = {"enabled": False}
    assert enabled(ini="on") == Enabled(
        value=True, source="ini cache_isolation_enabled"
    )


def test_the_environment_comes_before_the_ini_file(monkeypatch):
    monkeypatch.setenv(ENABLED_VARIABLE, "off")
    assert enabled(ini="on") == Enabled(
        value=False, source="environment CI_CACHE_ISOLATION"
    )


@pytest.mark.parametrize("said", [True, False])
def test_the_command_line_comes_before_all_others(monkeypatch, settings, said):
    monkeypatch.setenv(ENABLED_VARIABLE, "off" if said else "on")
    settings.CACHE_ISOLATION = {"enabled": not said}
    assert enabled(command_line=said, ini="off" if said else "on") == Enabled(
        value=said, source="command line"
    )


def test_a_source_that_is_not_reached_may_hold_anything(monkeypatch, settings):
    settings.CACHE_ISOLATION = "nonsense"
    assert enabled(ini="off").value is False
    monkeypatch.setenv(ENABLED_VARIABLE, "on")
    assert enabled(ini="nonsense").value is True
    monkeypatch.setenv(ENABLED_VARIABLE, "nonsense")
    assert enabled(command_line=False).value is False


@pytest.mark.parametrize("word", ["", "  "])
def test_an_empty_word_in_the_environment_says_nothing(monkeypatch, word):
    monkeypatch.setenv(ENABLED_VARIABLE, word)
    assert enabled().source == "default"


@pytest.mark.parametrize("said", ["", None])
def test_an_empty_ini_value_says_nothing(said):
    assert enabled(ini=said).source == "default"


@pytest.mark.parametrize(("word", "value"), WORDS)
def test_the_environment_takes_every_word(monkeypatch, word, value):
    monkeypatch.setenv(ENABLED_VARIABLE, word)
    assert enabled().value is value


@pytest.mark.parametrize(("word", "value"), WORDS)
def test_the_ini_file_takes_every_word(word, value):
    assert enabled(ini=word).value is value


@pytest.mark.parametrize(
    ("word", "value"), [*WORDS, (True, True), (False, False), (1, True), (0, False)]
)
def test_settings_take_every_word_and_python_values(settings, word, value):
    settings.CACHE_ISOLATION = {"enabled": word}
    assert enabled().value is value


@pytest.mark.parametrize("word", NOT_WORDS)
def test_another_word_in_the_environment_is_an_error(monkeypatch, word):
    monkeypatch.setenv(ENABLED_VARIABLE, word)
    with pytest.raises(OptionError) as caught:
        enabled()
    assert str(caught.value) == NOT_A_SWITCH.format(
        "environment CI_CACHE_ISOLATION", repr(word)
    )


@pytest.mark.parametrize("word", NOT_WORDS)
def test_another_word_in_the_ini_file_is_an_error(word):
    with pytest.raises(OptionError) as caught:
        enabled(ini=word)
    assert str(caught.value) == NOT_A_SWITCH.format(
        "ini cache_isolation_enabled", repr(word)
    )


@pytest.mark.parametrize("value", [*NOT_WORDS, "", None, 2, []])
def test_another_value_in_settings_is_an_error(settings, value):
    settings.CACHE_ISOLATION = {"enabled": value}
    with pytest.raises(OptionError) as caught:
        enabled()
    assert str(caught.value) == NOT_A_SWITCH.format(
        "settings.CACHE_ISOLATION['enabled']", repr(value)
    )


@pytest.mark.parametrize("value", [None, True, "off", ["enabled"]])
def test_settings_that_are_no_dictionary_are_an_error(settings, value):
    settings.CACHE_ISOLATION = value
    with pytest.raises(OptionError) as caught:
        enabled()
    assert str(caught.value) == (
        f"settings.CACHE_ISOLATION is {value!r}, which is not a dictionary. "
        "Options are read from it by name. "
        'Write CACHE_ISOLATION = {"enabled": True}, or leave it out.'
    )


def test_settings_without_the_dictionary_say_nothing(settings):
    del settings.CACHE_ISOLATION
    assert enabled().source == "default"


def test_settings_that_are_not_configured_are_not_asked(project):
    said = project.python(
        """
        from ci_cache_isolation.isolation.options import enabled
        from django.conf import settings
        print(enabled(), settings.configured)
        """
    )
    assert said == "on (default) False\n"


def test_the_answer_is_written_with_its_source():
    assert str(Enabled(value=True, source="default")) == "on (default)"
    assert str(Enabled(value=False, source="command line")) == "off (command line)"


def test_an_option_error_is_one_of_ours_and_has_a_slug():
    assert issubclass(OptionError, IsolationError)
    assert (IsolationError.slug, OptionError.slug) == ("error", "option")
