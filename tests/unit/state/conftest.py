"""One look for all tests, at what they change."""

import pytest

from ci_cache_isolation.state.look import Look
from ci_cache_isolation.state.names import Names
from tests.unit.state import kept

OWN = f"{kept.__name__}."


@pytest.fixture(scope="session")
def look():
    return Look(only={kept.__name__, "os", "django.conf"})


@pytest.fixture
def changes(look):
    """Return what has changed in the module, by name; it is put back at the end."""

    def found():
        names = Names(look)
        named = [(names.of(each), each) for each in look.changes()]
        return {
            name.text.removeprefix(OWN): (each, name.path.removeprefix(OWN))
            for name, each in named
            if name is not None and name.text.startswith(OWN)
        }

    assert list(found()) == []
    yield found
    look.put_back(each.mark for each, _ in found().values())
    assert list(found()) == []
