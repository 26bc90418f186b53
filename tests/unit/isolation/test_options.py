"""Who says whether caches are isolated, and in which words."""

import pytest

from ci_cache_isolation.errors import IsolationError, OptionError
from ci_cache_isolation.isolation.environment import ENABLED_VARIABLE, Enabled
from ci_cache_isolation.isolation.options import (
    Choice,
    IsolateArguments,
    choices,
    enabled,
)
from ci_cache_isolation.isolation.scopes import Granularity

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
    for name in ("", "_SCOPE", "_RESET_MEMOISED", "_SERVER", "_STORES"):
        monkeypatch.delenv(f"{ENABLED_VARIABLE}{name}", raising=False)
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


def test_the_answer_is_written_with_its_source():
    assert str(Enabled(value=True, source="default")) == "on (default)"
    assert str(Enabled(value=False, source="command line")) == "off (command line)"


def test_an_option_error_is_one_of_ours_and_has_a_slug():
    assert issubclass(OptionError, IsolationError)
    assert (IsolationError.slug, OptionError.slug) == ("error", "option")


NO_SCOPE = (
    "{} is {!r}, which is no scope. It says which tests share a section of a cache. "
    "Write one of: test, class, process."
)
NO_STORES = (
    "{} is {!r}, which names no stores. It says for an alias how its sections are "
    'made. Write {{"alias": "none"}}, or alias=none.'
)
NO_STORE = (
    "{} asks for the store {!r} for alias {!r}, and there is none of that name: it "
    "would not be isolated as you expect. "
    "Write one of: memory, keyspace, files, private-server, none."
)
SCOPES = "environment CI_CACHE_ISOLATION_SCOPE"
STORES = "environment CI_CACHE_ISOLATION_STORES"


def test_every_test_has_sections_and_no_store_is_named_by_default():
    chosen = choices()
    assert chosen.scope == Choice("test", "default")
    assert chosen.server == Choice("", "default")
    assert chosen.stores == {}
    assert chosen.granularity is Granularity.TEST


def test_the_first_source_that_names_a_scope_wins(monkeypatch, settings):
    asked = IsolateArguments(scope="process")
    assert choices(asked=asked).scope == Choice("process", "isolate(scope=...)")
    settings.CACHE_ISOLATION = {"scope": "class"}
    source = "settings.CACHE_ISOLATION['scope']"
    assert choices(asked=asked).scope == Choice("class", source)
    ini = {"scope": "test"}
    assert choices(asked=asked, ini=ini).scope == Choice(
        "test", "ini cache_isolation_scope"
    )
    monkeypatch.setenv("CI_CACHE_ISOLATION_SCOPE", " process ")
    chosen = choices(asked=asked, ini=ini)
    assert chosen.scope == Choice("process", SCOPES)
    assert chosen.granularity is Granularity.PROCESS


def test_the_first_source_that_names_a_server_wins(monkeypatch, settings):
    settings.CACHE_ISOLATION = {"server": "/opt/redis"}
    source = "settings.CACHE_ISOLATION['server']"
    assert choices().server == Choice("/opt/redis", source)
    ini = {"server": "valkey-server"}
    assert choices(ini=ini).server == Choice(
        "valkey-server", "ini cache_isolation_server"
    )
    monkeypatch.setenv("CI_CACHE_ISOLATION_SERVER", "redis-server --maxclients 10")
    assert choices(ini=ini).server == Choice(
        "redis-server --maxclients 10", "environment CI_CACHE_ISOLATION_SERVER"
    )


def test_the_first_source_that_speaks_of_an_alias_wins(monkeypatch, settings):
    monkeypatch.setenv("CI_CACHE_ISOLATION_STORES", "a=none")
    settings.CACHE_ISOLATION = {"stores": {"a": "memory", "b": "files", "c": "none"}}
    ini = {"stores": "b=none"}
    asked = IsolateArguments(stores={"a": "files", "d": "private-server"})
    assert choices(ini=ini, asked=asked).stores == {
        "a": Choice("none", STORES),
        "b": Choice("none", "ini cache_isolation_stores"),
        "c": Choice("none", "settings.CACHE_ISOLATION['stores']"),
        "d": Choice("private-server", "isolate(stores=...)"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "a=none,b=files",
        " a = none , b=files, ",
        "a=none\nb=files",
        "\na=none\nb = files\n",
    ],
)
def test_stores_may_be_written_on_one_line_or_many(monkeypatch, text):
    expected = {"a": "none", "b": "files"}
    found = choices(ini={"stores": text}).stores
    assert {alias: choice.value for alias, choice in found.items()} == expected
    monkeypatch.setenv("CI_CACHE_ISOLATION_STORES", text)
    found = choices().stores
    assert {alias: choice.value for alias, choice in found.items()} == expected


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_an_empty_choice_in_environment_and_ini_says_nothing(monkeypatch, value):
    for name in ("SCOPE", "SERVER", "STORES"):
        monkeypatch.setenv(f"CI_CACHE_ISOLATION_{name}", value)
    ini = dict.fromkeys(["scope", "server", "stores"], value)
    assert choices(ini=ini) == choices(ini={})
    assert choices().scope.source == "default"


@pytest.mark.parametrize("value", ["Test", "module", "session", "tests", "0"])
def test_another_word_is_no_scope(monkeypatch, settings, value):
    settings.CACHE_ISOLATION = {"scope": value}
    assert_refused(NO_SCOPE.format("settings.CACHE_ISOLATION['scope']", value))
    monkeypatch.setenv("CI_CACHE_ISOLATION_SCOPE", value)
    assert_refused(NO_SCOPE.format(SCOPES, value))


@pytest.mark.parametrize("value", [None, 1, ["test"], {}])
def test_what_is_no_word_is_no_scope(settings, value):
    settings.CACHE_ISOLATION = {"scope": value}
    assert_refused(NO_SCOPE.format("settings.CACHE_ISOLATION['scope']", value))


@pytest.mark.parametrize("value", ["none", "a", "=none", "a=none,b", "a:none"])
def test_text_without_an_alias_names_no_stores(monkeypatch, value):
    monkeypatch.setenv("CI_CACHE_ISOLATION_STORES", value)
    assert_refused(NO_STORES.format(STORES, value))


@pytest.mark.parametrize("value", [None, 1, ["a"], {"a"}])
def test_what_is_no_dictionary_names_no_stores(settings, value):
    settings.CACHE_ISOLATION = {"stores": value}
    assert_refused(NO_STORES.format("settings.CACHE_ISOLATION['stores']", value))


@pytest.mark.parametrize("name", ["None", "redis", "", None, 0, ["none"]])
def test_another_word_is_no_store(settings, name):
    settings.CACHE_ISOLATION = {"stores": {"a": name}}
    assert_refused(NO_STORE.format("settings.CACHE_ISOLATION['stores']", name, "a"))


def test_a_source_behind_the_one_that_wins_is_not_asked(monkeypatch, settings):
    settings.CACHE_ISOLATION = {"scope": "nonsense", "server": ""}
    monkeypatch.setenv("CI_CACHE_ISOLATION_SCOPE", "class")
    assert choices().scope.value == "class"


def test_an_unknown_option_in_settings_is_an_error(settings):
    settings.CACHE_ISOLATION = {"scopes": "test", "enabled": True, "audit": 1}
    assert_refused(
        "settings.CACHE_ISOLATION holds 'audit', 'scopes', which is no option: it "
        "would do nothing. Options are: enabled, known, "
        "reset_memoised, scope, server, state, stores."
    )


def assert_refused(message):
    with pytest.raises(OptionError) as caught:
        choices()
    assert str(caught.value) == message
