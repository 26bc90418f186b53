"""What can hold state, and how its contents are read, compared and put back.

By the functions of the built-in types only: no method, property, comparison or hash of
a user's class is ever called. They may do anything, and many of them do.
"""

from __future__ import annotations

import _thread
import types
from abc import ABC, abstractmethod
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any

from ci_cache_isolation.state.comparing import (
    ATOMS,
    MISSING,
    Contents,
    can_be_key,
    class_vars,
    derives,
    is_same,
    vars_of_classes,
)

__all__ = ["Attributes", "Keyed", "Kind", "attributes_of", "kinds_of"]

_IMMUTABLE_TYPE = 1 << 8
_TRIES = 5
_TYPE_CODE = array.__dict__["typecode"].__get__
_DESCRIPTORS = {types.GetSetDescriptorType, types.MemberDescriptorType}


class Kind(ABC):
    """How containers of one kind are read and written.

    ``is_special`` where they are more than they look, ``is_of_class`` where they are
    classes, ``has_sequence`` where it matters in which sequence keys are.
    """

    is_special = False
    is_of_class = False
    has_sequence = False

    @abstractmethod
    def read(self, container: Any) -> Contents:
        """Return what it holds now. `RuntimeError` where a thread writes meanwhile."""

    @abstractmethod
    def write(self, container: Any, contents: Contents) -> None:
        """Have it hold what it held, in place."""


class Keyed(Kind):
    """How containers are read and written that hold each value under a key or name."""

    has_names = False
    """Whether they are names of attributes."""

    @abstractmethod
    def get(self, container: Any, key: Any) -> Any:
        """Return what it holds under a key, or `MISSING`."""

    @abstractmethod
    def put(self, container: Any, key: Any, value: Any) -> None:
        """Have it hold a value under a key, or none where that is `MISSING`."""

    def write(self, container: Any, contents: Contents) -> None:
        """Have it hold what it held, in place."""
        keys, values = contents
        assert keys is not None
        for key in self.read(container)[0] or ():
            if not any(is_same(key, each) for each in keys):
                self.put(container, key, MISSING)
        for key, value in zip(keys, values, strict=True):
            self.put(container, key, value)


class _Dict(Keyed):
    """Dictionaries, and what is derived from them, by the functions of ``base``."""

    has_sequence = True

    def __init__(self, base: type[dict[Any, Any]]) -> None:
        self._set = base.__setitem__
        self._delete = base.__delitem__
        self._clear = base.clear

    def read(self, container: Any) -> Contents:
        for _ in range(_TRIES):
            keys = tuple(dict.keys(container))
            values = tuple(dict.values(container))
            if len(keys) == len(values):
                return keys, values
        raise RuntimeError("it is written to all the time")

    def get(self, container: Any, key: Any) -> Any:
        return dict.get(container, key, MISSING)

    def put(self, container: Any, key: Any, value: Any) -> None:
        if value is not MISSING:
            self._set(container, key, value)
        elif dict.__contains__(container, key):
            self._delete(container, key)

    def write(self, container: Any, contents: Contents) -> None:
        keys, values = contents
        assert keys is not None
        # The sequence is put back too.
        self._clear(container)
        for key, value in zip(keys, values, strict=True):
            self._set(container, key, value)


class _Ordered(_Dict):
    """Dictionaries that keep a sequence of their own, which may be another one."""

    def __init__(self) -> None:
        super().__init__(OrderedDict)

    def read(self, container: Any) -> Contents:
        keys, values = super().read(container)
        # It looks for each key to find the next one.
        if not all(map(can_be_key, keys or ())):
            return keys, values
        keys = tuple(OrderedDict.__iter__(container))
        return keys, tuple(dict.get(container, key, MISSING) for key in keys)


class _List(Kind):
    def read(self, container: Any) -> Contents:
        return None, tuple(list.copy(container))

    def write(self, container: Any, contents: Contents) -> None:
        list.__setitem__(container, slice(None), list(contents[1]))


class _Set(Kind):
    def read(self, container: Any) -> Contents:
        return None, tuple(set.__iter__(container))

    def write(self, container: Any, contents: Contents) -> None:
        set.clear(container)
        set.update(container, contents[1])


class _Deque(Kind):
    def read(self, container: Any) -> Contents:
        return None, tuple(deque.__iter__(container))

    def write(self, container: Any, contents: Contents) -> None:
        deque.clear(container)
        deque.extend(container, contents[1])


class _Bytes(Kind):
    def read(self, container: Any) -> Contents:
        copy = bytearray.__getitem__(container, slice(None))
        return None, (bytes(copy),)

    def write(self, container: Any, contents: Contents) -> None:
        bytearray.__setitem__(container, slice(None), contents[1][0])


class _Array(Kind):
    def read(self, container: Any) -> Contents:
        return None, (array.tobytes(container),)

    def write(self, container: Any, contents: Contents) -> None:
        held: array[Any] = array(_TYPE_CODE(container))
        held.frombytes(contents[1][0])
        array.__setitem__(container, slice(None), held)


class Attributes(Keyed):
    """What objects of a class hold under names: in a dictionary, in slots or both.

    ``of`` returns an object's dictionary, None for one that has none; ``members`` are
    the descriptors of its slots.
    """

    has_names = True

    def __init__(
        self,
        of: Callable[[Any], dict[str, Any]] | None,
        members: dict[str, Any] | None = None,
    ) -> None:
        self.of = of
        self._members = members or {}

    def read(self, container: Any) -> Contents:
        """Return the names of the attributes that there are, and what they hold."""
        keys: tuple[Any, ...] = ()
        values: tuple[Any, ...] = ()
        if self.of is not None:
            held = self.of(container)
            keys, values = tuple(dict.keys(held)), tuple(dict.values(held))
            if len(keys) != len(values):
                raise RuntimeError("it is written to all the time")
        for name, member in self._members.items():
            try:
                value = member.__get__(container)
            except (AttributeError, ValueError):
                continue  # an empty slot, an empty cell
            keys, values = (*keys, name), (*values, value)
        return keys, values

    def get(self, container: Any, key: Any) -> Any:
        """Return an attribute of the object's own, or `MISSING`."""
        if key in self._members:
            try:
                return self._members[key].__get__(container)
            except (AttributeError, ValueError):
                return MISSING
        return MISSING if self.of is None else _DICT.get(self.of(container), key)

    def put(self, container: Any, key: Any, value: Any) -> None:
        """Set or delete an attribute, past all that its class has to say."""
        if key not in self._members:
            assert self.of is not None
            _DICT.put(self.of(container), key, value)
        elif value is not MISSING:
            self._members[key].__set__(container, value)
        elif self.get(container, key) is not MISSING:
            self._members[key].__delete__(container)


class _ClassAttributes(Keyed):
    """Attributes of a class: through `type`, which knows what it has remembered."""

    is_of_class = True
    has_names = True

    def read(self, container: Any) -> Contents:
        found = class_vars(container)
        return tuple(found.keys()), tuple(found.values())

    def get(self, container: Any, key: Any) -> Any:
        return class_vars(container).get(key, MISSING)

    def put(self, container: Any, key: Any, value: Any) -> None:
        now = self.get(container, key)
        if value is now or type(value) is types.GetSetDescriptorType:
            return
        if value is not MISSING:
            type.__setattr__(container, key, value)
        else:
            type.__delattr__(container, key)


_DICT = _Dict(dict)
_ORDERED = _Ordered()
_LIST, _SET, _DEQUE, _BYTES, _ARRAY = _List(), _Set(), _Deque(), _Bytes(), _Array()
_CLASS = _ClassAttributes()
_FUNCTION_STATE = ("__defaults__", "__kwdefaults__", "__code__")
_FUNCTION = Attributes(
    types.FunctionType.__dict__["__dict__"].__get__,
    {name: types.FunctionType.__dict__[name] for name in _FUNCTION_STATE},
)
_CELL = Attributes(None, {"cell_contents": types.CellType.__dict__["cell_contents"]})
_BUILT_IN: Sequence[tuple[type, Kind]] = (
    # Derived ones first.
    (OrderedDict, _ORDERED),
    (dict, _DICT),
    (list, _LIST),
    (set, _SET),
    (deque, _DEQUE),
    (bytearray, _BYTES),
    (array, _ARRAY),
)
_ALREADY_KNOWN: dict[type, tuple[Kind, ...]] = {
    **{kind: (how,) for kind, how in _BUILT_IN},
    types.FunctionType: (_FUNCTION,),
    types.CellType: (_CELL,),
    **dict.fromkeys(ATOMS.kinds, ()),
    **dict.fromkeys((tuple, frozenset, types.CodeType, types.BuiltinFunctionType), ()),
}
# By a class's id, with the class, so that the id stays its own: it may have a hash that
# is somebody's code.
_KNOWN = {id(kind): (kind, ways) for kind, ways in _ALREADY_KNOWN.items()}


def _thread_locals(container: Any) -> dict[str, Any]:
    """Return what an object holds for the thread that asks."""
    found: dict[str, Any] = _thread._local.__getattribute__(container, "__dict__")  # noqa: SLF001
    return found


def kinds_of(kind: type) -> tuple[Kind, ...]:
    """Return in which ways objects of a class hold state; none for most classes.

    A dictionary of a user's class may have attributes besides.
    """
    known = _KNOWN.get(id(kind))
    if known is None:
        known = _KNOWN[id(kind)] = kind, _found_kinds(kind)
    return known[1]


def _found_kinds(kind: type) -> tuple[Kind, ...]:
    if derives(kind, type):
        # Its objects are classes. See `attributes_of` for those that can't change.
        return (_CLASS,)
    found = [how for base, how in _BUILT_IN if derives(kind, base)][:1]
    if derives(kind, _thread._local):  # noqa: SLF001
        # One with a set-up of its own would be set up for this thread by being asked.
        own = next(
            vars_["__init__"] for vars_ in vars_of_classes(kind) if "__init__" in vars_
        )
        return (Attributes(_thread_locals),) if own is object.__init__ else ()
    names: dict[str, Any] = {}
    dictionary = None
    for vars_ in vars_of_classes(kind):
        for name, each in vars_.items():
            if name == "__dict__" and type(each) in _DESCRIPTORS:
                dictionary = dictionary or each
            elif type(each) is types.MemberDescriptorType and _is_slot(name, each):
                names.setdefault(name, each)
    if dictionary is not None or names:
        of = None if dictionary is None else dictionary.__get__
        found.append(Attributes(of, names))
    return tuple(found)


def _is_slot(name: str, member: Any) -> bool:
    """Return whether it is a slot: built-in types have members that are read only."""
    if name.startswith("__"):
        return False
    owner = type(member).__dict__["__objclass__"].__get__(member)
    return bool(type.__dict__["__flags__"].__get__(owner) & (1 << 9))


def attributes_of(container: Any) -> Kind | None:
    """Return how an object's attributes are held, None where it has none to change."""
    kind = type(container)
    if derives(kind, type):
        flags = type.__dict__["__flags__"].__get__(container)
        return None if flags & _IMMUTABLE_TYPE else _CLASS
    named = (how for how in kinds_of(kind) if isinstance(how, Attributes))
    return next(named, None)
