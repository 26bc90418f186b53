"""JSON as damage or malice leaves it: a sound document with one fault, anywhere."""

import copy
import json

SURROGATE = "\ud800"
WRONG = [
    *(None, True, 0, -1, 2**40, 2**70, 1.5, 1e308, "", "x", "../x", "--x", "a\0b"),
    *(SURROGATE, "\x1b[2J", [], [[]], [None], [0], ["x"], {}, {"a": 1}),
]


def nested(depth):
    return "[" * depth + "]" * depth


TEXTS = [
    *(b"", b"\0", b"null", b"3", b'"x"', b"[]", b"{}", b"NaN", b"1e999", b"9" * 5000),
    *(b"\xff\xfe{}", b"\xef\xbb\xbf{}", b'{"schema": ', b"\xed\xa0\x80"),
    *(nested(100).encode(), nested(100_000).encode(), b'{"a":' * 100_000),
]
"""What a file may hold in place of a document."""


def places(value, path=()):
    """Yield the way to each part of a document, and to all of it."""
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*path, name))
    elif isinstance(value, list):
        # What goes for one of them goes for all.
        for place in range(min(len(value), 2)):
            yield from places(value[place], (*path, place))


def damaged(document):
    """Yield documents with one fault each, and where it is."""
    for path in places(document):
        if not path:
            continue
        for wrong in WRONG:
            yield path, _with(document, path, wrong)
        yield path, _without(document, path)
        yield path, _with(document, path, json.loads(nested(200)))


def cut(text, times):
    """Yield beginnings of a text."""
    for number in range(times):
        yield text[: len(text) * number // times]


def _with(document, path, value):
    made, part = _opened(document, path)
    part[path[-1]] = value
    return made


def _without(document, path):
    made, part = _opened(document, path)
    del part[path[-1]]
    return made


def _opened(document, path):
    """Return a copy of what is on the way to a part, and there the last of the copies.

    The rest is the document's own: nobody may change it.
    """
    made = part = copy.copy(document)
    for name in path[:-1]:
        part[name] = copy.copy(part[name])
        part = part[name]
    return made, part
