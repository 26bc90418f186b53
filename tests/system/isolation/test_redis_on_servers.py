"""Databases of Redis: the same one under several names, copies on old servers."""

import pytest

from tests.shared_caches import CLASS, TEST


@pytest.mark.parametrize("kind", ["redis", "django-redis", "django-valkey"])
def test_aliases_share_what_they_share_without_isolation(
    sections, kind, opened, locations
):
    location = locations(kind)
    one, other = opened(kind, location=location), opened(kind, location=f"{location}/0")
    with sections.opened(CLASS):
        one.set("key", 1)
        with sections.opened(TEST):
            assert other.get("key") == 1
            other.clear()
            assert one.get("key") is None
