"""Methods that are replaced on classes, and put back."""

import functools

from ci_cache_isolation.isolation.patches import Patches


def louder(method):
    @functools.wraps(method)
    def loud(self):
        return method(self).upper() + "!"

    return loud


def classes():
    class Base:
        def speak(self):
            """Say something."""
            return "base"

    class Derived(Base):
        pass

    class Other(Base):
        pass

    return Base, Derived, Other


def test_objects_that_were_made_before_count():
    base, _, _ = classes()
    held = base()
    patches = Patches()
    patches.wrap(base, "speak", louder)
    assert held.speak() == "BASE!"
    assert base.speak.__doc__ == "Say something."
    patches.undo()
    assert held.speak() == "base"


def test_what_a_class_inherits_is_wrapped_there_alone():
    base, derived, other = classes()
    patches = Patches()
    patches.wrap(derived, "speak", louder)
    assert [each().speak() for each in (base, derived, other)] == [
        "base",
        "BASE!",
        "base",
    ]
    patches.undo()
    assert "speak" not in vars(derived)
    assert derived().speak() == "base"


def test_wrapping_again_is_harmless():
    base, _, _ = classes()
    patches = Patches()
    patches.wrap(base, "speak", louder)
    patches.wrap(base, "speak", louder)
    patches.put(base, "speak", None)
    assert base().speak() == "BASE!"
    patches.undo()
    patches.undo()
    assert base().speak() == "base"
    patches.wrap(base, "speak", louder)
    assert base().speak() == "BASE!"


def test_what_is_not_there_is_not_wrapped():
    base, _, _ = classes()
    patches = Patches()
    patches.wrap(base, "sing", louder)
    assert not hasattr(base, "sing")
    patches.put(base, "sing", 1)
    assert base.sing == 1
    patches.undo()
    assert not hasattr(base, "sing")


def test_what_others_have_replaced_since_stays():
    base, _, _ = classes()
    patches = Patches()
    patches.wrap(base, "speak", louder)
    ours = base.speak
    base.speak = lambda self: ours(self) + "?"
    patches.undo()
    assert base().speak() == "BASE!?"


def test_what_others_have_replaced_since_stays_and_the_rest_is_put_back():
    base, derived, _ = classes()
    patches = Patches()
    patches.wrap(derived, "speak", louder)
    patches.wrap(base, "speak", louder)
    derived.speak = lambda self: "theirs"
    patches.undo()
    assert (base().speak(), derived().speak()) == ("base", "theirs")
