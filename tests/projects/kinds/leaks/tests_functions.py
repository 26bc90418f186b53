"""What only pytest has: functions, and fixtures of every scope."""

import pytest
from django.core.cache import cache

from leaks.checks import change, check_enclosing, clear, delete, meet, store


@pytest.fixture(scope="session")
def session_entry():
    store("session")
    yield
    change("session")


@pytest.fixture(scope="module")
def module_entry(session_entry):
    check_enclosing("session")
    store("module-fixture")
    yield
    change("module-fixture")


@pytest.fixture(scope="module", params=["a", "b"])
def parametrized(request):
    store(f"parametrized-{request.param}")
    yield request.param
    # Torn down in the midst of setting up the next test, as pytest does it.
    change(f"parametrized-{request.param}")
    cache.delete(f"parametrized-{request.param}")


@pytest.fixture
def late(request):
    """Store first, then ask for the wider fixture: it must not take this along."""
    meet("late")
    request.getfixturevalue("late_session_entry")
    assert cache.get("left-behind") == "late"
    check_enclosing("late-session")


@pytest.fixture(scope="session")
def late_session_entry():
    assert cache.get("left-behind") is None
    store("late-session")


@pytest.mark.parametrize("number", range(3))
def test_function(number):
    meet(number)


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(2))
def test_function_with_database(number):
    meet(number)


@pytest.mark.parametrize("spoil", [change, delete, clear])
def test_session_fixture(session_entry, spoil):
    spoil("session")


@pytest.mark.parametrize("spoil", [change, delete, clear])
def test_module_fixture(module_entry, spoil):
    spoil("module-fixture")


@pytest.mark.parametrize("spoil", [change, delete, clear])
def test_parametrized_module_fixture(parametrized, spoil):
    spoil(f"parametrized-{parametrized}")


@pytest.mark.parametrize("number", range(2))
def test_wider_fixture_asked_for_late(late, number):
    cache.clear()


@pytest.fixture(params=[1, 2])
def function_entry(request):
    meet(request.param)
    yield
    assert cache.get("left-behind") == request.param


def test_function_fixture(function_entry):
    pass


class TestInClass:
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def class_entry(cls):
        store("class-fixture")
        yield
        change("class-fixture")

    def setup_method(self):
        meet("setup_method")

    @classmethod
    def setup_class(cls):
        store("setup_class")

    @pytest.mark.parametrize("spoil", [change, delete, clear])
    def test_class_fixture(self, spoil):
        check_enclosing("setup_class")
        spoil("class-fixture")

    @pytest.mark.parametrize("spoil", [change, delete, clear])
    def test_setup_class(self, spoil):
        check_enclosing("class-fixture")
        spoil("setup_class")
