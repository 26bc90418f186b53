"""The programs use what every backend has, and keys that are theirs alone."""

import itertools

from django.core.cache import BaseCache

from ci_cache_isolation.probing.programs import PIECES, SUITES
from ci_cache_isolation.probing.steps import (
    Awaited,
    Call,
    Clear,
    Key,
    Number,
    RolledBack,
    Suite,
    Wait,
)


def flat(steps):
    for step in steps:
        yield step
        inner = getattr(step, "steps", None) or itertools.chain.from_iterable(
            getattr(step, "threads", ())
        )
        yield from flat(inner)


def all_steps(suite):
    return [*flat(suite.setup), *(each for test in suite.tests for each in flat(test))]


def test_only_methods_that_every_backend_has_are_called():
    for suite in SUITES:
        for step in all_steps(suite):
            if isinstance(step, Call):
                assert hasattr(BaseCache, step.method), step
            elif isinstance(step, Awaited):
                assert hasattr(BaseCache, step.call.method), step


def test_no_call_takes_a_name_that_is_not_behind_a_token():
    pieces = [Suite(0, "", "", (program,)) for program in PIECES.values()]
    for suite in (*SUITES, *pieces):
        for step in all_steps(suite):
            made = step.call if isinstance(step, Awaited) else step
            if isinstance(made, Call) and made.args:
                first = made.args[0]
                names = [first] if isinstance(first, (Key, Number)) else [*first]
                assert all(isinstance(each, (Key, Number)) for each in names), made


def test_suites_that_clear_or_roll_back_say_so():
    for suite in SUITES:
        kinds = {type(step) for step in all_steps(suite)}
        assert (Clear in kinds) is suite.has_clear
        assert (RolledBack in kinds) is suite.is_for_tables


def test_suites_have_names_of_their_own_and_numbers_of_promises():
    names = [suite.name for suite in SUITES]
    assert len(set(names)) == len(names)
    assert {suite.number for suite in SUITES} <= set(range(1, 13))


def test_all_of_it_takes_seconds():
    waits = [step for suite in SUITES for step in all_steps(suite)]
    assert sum(each.seconds for each in waits if isinstance(each, Wait)) < 5
