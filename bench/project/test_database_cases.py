"""2,000 tests in 20 classes that may use the database, and touch no cache."""

from django.core.cache import caches
from django.test import TestCase

# One alias is open, as it is sooner or later in a run of any size.
assert caches["default"].key_prefix == ""


def _empty(self):
    """Touch no cache."""


for _number in range(20):
    _name = f"EmptyDatabaseTests{_number}"
    globals()[_name] = type(
        _name,
        (TestCase,),
        {"__module__": __name__}
        | {f"test_{number:03}": _empty for number in range(100)},
    )
