"""The programs: what is done to every cache, isolated and plainly.

A suite is what a test class is: what it stores while setting up, and tests. Plainly,
each test gets a set-up of its own under other names; isolated, all tests share one.
Promise 1 is that nobody sees a difference.
"""

from __future__ import annotations

from ci_cache_isolation.probing.steps import (
    Clear,
    Clock,
    InThread,
    Key,
    Number,
    Program,
    Race,
    RolledBack,
    Suite,
    Wait,
    awaited,
    call,
    reads,
)

__all__ = ["LASTING", "PIECES", "SUITES"]

A, B, C, D, E = (Key(letter) for letter in "abcde")

_CALLS: Program = (
    call("get", A),
    call("get", A, "nothing"),
    call("set", A, 1),
    call("get", A),
    call("has_key", A),
    call("__contains__", A),
    call("__contains__", B),
    call("add", A, 2),
    call("add", B, 2),
    call("get", B),
    call("incr", A),
    call("incr", A, 10),
    call("decr", A, 2),
    call("get", A),
    call("incr", C),
    call("decr", C, 2),
    call("set", C, "text"),
    call("touch", C),
    call("touch", D),
    call("touch", C, 100),
    call("get_or_set", C, "other"),
    call("get_or_set", D, "made"),
    call("get", D),
    call("delete", D),
    call("delete", D),
    call("get", D),
    call("set", D, None),
    call("get", D, "nothing"),
    call("has_key", D),
    call("set", E, value=False),
    call("get", E),
    call("set", E, {"list": [1, 2.5, ("tuple", b"\x00bytes")]}),
    call("get", E),
    call("set", E, b"\x80\x00"),
    call("get", E),
    call("set", E, "ü€𝄞\n"),
    call("get", E),
    call("set", E, "x" * 10_000),
    call("get", E),
    call("set", E, {3, 1, 2}),
    call("get", E),
)

_KEYS: Program = tuple(
    step
    for key in (
        Key("with space"),
        Key("ünï"),
        Key("a:b:c"),
        Key("*[a]?%_\\"),
        Key("x" * 200),
        Key("x" * 230),
        Key("x" * 300),
        Key("nul\x00"),
        Key("new\nline"),
        Number(1),
    )
    for step in (
        call("set", key, 1),
        call("get", key),
        call("incr", key),
        call("get_many", [key]),
        call("delete", key),
        call("incr", key),
    )
)

_BULK: Program = (
    call("set_many", {A: 1, B: 2, C: [3]}),
    call("get_many", [A, B, C, D]),
    call("get_many", []),
    call("set_many", {}),
    call("set_many", {B: 20, D: 4}, 100),
    call("get_many", [A, B, C, D]),
    call("delete_many", [A, D, E]),
    call("get_many", [A, B, C, D]),
    call("delete_many", []),
    *reads("abcde"),
)

_VERSIONS: Program = (
    call("set", A, 1),
    call("set", A, 2, version=2),
    call("get", A),
    call("get", A, version=2),
    call("get", A, version=3),
    call("has_key", A, version=3),
    call("add", A, 3, version=3),
    call("incr", A, version=2),
    call("decr", A, 5, version=2),
    call("get", A, version=2),
    call("touch", A, version=3),
    call("delete", A, version=3),
    call("get", A, version=3),
    call("incr_version", A),
    call("get", A),
    call("get", A, version=2),
    call("decr_version", A, version=2),
    call("get", A),
    call("incr_version", B),
    call("incr_version", B, 2, 4),
    call("set_many", {B: 1, C: 2}, version=4),
    call("get_many", [B, C], version=4),
    call("get_many", [B, C]),
    call("get_or_set", B, 5, version=5),
    call("delete_many", [B, C], version=4),
    call("get_many", [B, C], version=4),
    call("incr", B, version=6),
)

LASTING = 30
"""A timeout that no test waits for."""

_TIMEOUTS: Program = (
    call("set", A, 1, 0),
    call("get", A),
    call("set", A, 1),
    call("set", A, 1, -1),
    call("get", A),
    call("set", A, 1, None),
    call("set", B, 1, LASTING),
    call("set", C, 1, 2),
    call("add", D, 1, 2),
    call("set", E, 1, LASTING),
    call("touch", E, 2),
    call("set_many", {Key("f"): 1}, 2),
    call("set", Key("g"), 1, 2),
    call("touch", Key("g"), None),
    call("add", Key("h"), 1, 0),
    *reads("h"),
    Wait(3.2),
    *reads("abcdefgi"),
)

_STORED: Program = (
    call("set", A, 1),
    call("set", B, [1], LASTING),
    call("set", C, 2, version=2),
    call("set_many", {D: "d", E: "e"}),
    call("add", Key("f"), 5),
    call("incr", Key("f"), 2),
    call("set", Key("g"), 1),
    call("delete", Key("g")),
    call("set", Key("h"), 1, None),
    call("get_or_set", Key("i"), 9),
)

_SEEN: Program = (
    *reads("abcdefghijk"),
    call("get", C, version=2),
    call("get_many", [Key(letter) for letter in "abcdefghijk"]),
    call("has_key", A),
    call("has_key", Key("g")),
    call("__contains__", Key("i")),
)

_CHANGED: Program = (
    call("set", A, "changed"),
    call("delete", B),
    call("delete", C, version=2),
    call("incr", Key("f"), 100),
    call("add", D, "not added"),
    call("add", Key("g"), "added"),
    call("touch", E, LASTING),
    call("get_or_set", Key("h"), "not set"),
    call("incr_version", Key("i")),
    call("set", Key("j"), "of the test"),
    call("set_many", {Key("k"): 1}),
    *_SEEN,
    call("delete_many", [A, D, E]),
    *_SEEN,
)

_FIRST_TOUCHES: Program = (
    call("incr", A),
    call("add", B, 2),
    call("delete_many", [C, D]),
    call("touch", Key("f"), LASTING),
    call("decr_version", C, version=2),
    call("get_many", [E, Key("h")]),
    call("delete", Key("i")),
    call("delete", Key("i")),
    *_SEEN,
)

_ALL_WAYS: Program = (
    call("set", A, 1),
    call("add", B, 2),
    call("set_many", {C: 3}),
    call("get_or_set", D, 4),
    call("set", E, 1),
    call("incr", E),
    call("set", Key("f"), 1, version=7),
    call("set", Key("g"), 1, None),
    awaited("aset", Key("h"), 1),
    InThread((call("set", Key("i"), 1),)),
)

_NOTHING_SEEN: Program = (
    *reads("abcdefghi"),
    call("get", Key("f"), version=7),
    *(call("add", Key(letter), 1) for letter in "abc"),
    call("delete", D),
    call("incr", E),
)

_ASYNC: Program = (
    awaited("aget", A, "nothing"),
    awaited("aset", A, 1),
    awaited("aget", A),
    call("get", A),
    awaited("aadd", A, 2),
    awaited("aadd", B, 2),
    awaited("aincr", A, 4),
    awaited("adecr", A),
    awaited("aincr", C),
    awaited("ahas_key", B),
    awaited("atouch", B, 100),
    awaited("aset_many", {C: 3, D: 4}),
    awaited("aget_many", [A, B, C, D, E]),
    awaited("aget_or_set", E, 5),
    awaited("aincr_version", E),
    awaited("aget", E, version=2),
    awaited("adecr_version", E, version=2),
    awaited("adelete", E),
    awaited("adelete_many", [C, D]),
    awaited("aget_many", [A, B, C, D, E]),
    *reads("abcde"),
)

_OF_CLASS = [Key(f"of-class-{number}") for number in range(40)]

_THREADS: Program = (
    InThread((call("get", A), call("set", A, 2), call("get", B))),
    call("get", A),
    call("set", B, 3),
    InThread((call("get", B), call("delete", A), call("set", C, 4))),
    *reads("abc"),
    Race(
        tuple(
            tuple(
                call("set", Key(f"{thread}-{number}"), number) for number in range(20)
            )
            for thread in range(8)
        )
    ),
    call("get_many", [Key(f"{thread}-{19}") for thread in range(8)]),
    Race(
        tuple(
            tuple(call(method, key) for key in _OF_CLASS)
            for method in ("get", "delete") * 4
        )
    ),
    call("get_many", _OF_CLASS),
)

_CLEARED: Program = (
    *reads("abc"),
    Clear(),
    *reads("abc"),
    call("has_key", A),
    call("add", A, "new"),
    call("get_many", [A, B, C]),
    Clear(is_async=True),
    *reads("abc"),
    call("incr", A),
)

_ROLLED_BACK: Program = (
    RolledBack((call("get", A), call("set", B, "undone"), call("delete", C))),
    *reads("abc"),
    RolledBack((call("set", A, "undone"), call("add", D, 1)), is_savepoint=True),
    *reads("abcd"),
)

_YESTERDAY, _TOMORROW = -86_400.0, 86_400.0
_FROZEN: Program = (
    Clock(_YESTERDAY, (*reads("ab"), call("set", C, 1, LASTING), *reads("c"))),
    *reads("abc"),
    Clock(_TOMORROW, (call("set", D, 1, LASTING), *reads("d"))),
    *reads("abcd"),
)

SUITES: tuple[Suite, ...] = (
    Suite(
        1,
        "scopes",
        "a test sees what its class stored, as it was left",
        (_SEEN, _CHANGED, _SEEN, _FIRST_TOUCHES, _SEEN),
        _STORED,
    ),
    Suite(
        2,
        "undone",
        "what a test does is gone when it ends",
        (_ALL_WAYS, _NOTHING_SEEN, _ALL_WAYS),
    ),
    Suite(
        4,
        "clear",
        "clear() empties the test's own section",
        (_CLEARED, reads("abc"), _CLEARED),
        (call("set", A, 1), call("set", B, 2, LASTING)),
        has_clear=True,
    ),
    Suite(5, "calls", "calls give what they give without isolation", (_CALLS,)),
    Suite(5, "keys", "keys of all kinds do, up to their greatest length", (_KEYS,)),
    Suite(5, "bulk", "calls for many keys do", (_BULK,)),
    Suite(5, "versions", "versions do", (_VERSIONS,)),
    Suite(
        5,
        "timeouts",
        "timeouts do",
        (_TIMEOUTS,),
        (call("set", Key("i"), 1, 2), call("set", Key("j"), 1, LASTING)),
    ),
    Suite(8, "async", "asynchronous calls do", (_ASYNC, _ASYNC)),
    Suite(
        8,
        "threads",
        "threads see their test's section",
        (_THREADS, _THREADS),
        (
            call("set", A, 1),
            call("set", B, 2),
            *(call("set", key, 1) for key in _OF_CLASS),
        ),
    ),
    Suite(
        12,
        "rollbacks",
        "rolled-back transactions undo what they undo plainly",
        (_ROLLED_BACK, reads("abcd")),
        (call("set", A, 1), call("set", C, 3)),
        is_for_tables=True,
    ),
    Suite(
        12,
        "clocks",
        "a frozen clock changes what it changes plainly",
        (_FROZEN, reads("abcd")),
        (call("set", A, 1, 600), call("set", B, 1, None)),
    ),
)
"""All of them, by promise."""

PIECES: dict[str, Program] = {
    "store": _ALL_WAYS,
    "read": reads("abcdefghi"),
    "store other": tuple(call("set", Key(letter), "other") for letter in "abcd"),
    "clear": (Clear(),),
    "store one": (call("set", A, "kept"),),
    "read one": reads("a"),
    "use foreign": (
        call("set", A, "of the test"),
        call("delete_many", [A, B]),
        call("add", A, "again"),
        call("delete", A),
        call("get", A),
    ),
}
"""Programs that processes play in turn, each knowing them by their names."""
