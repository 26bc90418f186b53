"""A leak through a function that remembers, between functions."""

from shop import remembering


def test_hello():
    assert remembering.greeting("en") == "Hello"


def test_welcome_at_christmas(monkeypatch):
    monkeypatch.setitem(remembering.GREETINGS, "en", "Merry Christmas")
    assert remembering.greeting("en")


def test_welcome_in_another_language(monkeypatch):
    monkeypatch.setitem(remembering.GREETINGS, "fr", "Salut")
    assert remembering.greeting("fr") == "Salut"
