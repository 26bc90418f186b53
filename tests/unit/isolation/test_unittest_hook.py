"""Scopes from unittest: where they open and close, whatever happens in between."""

import doctest
import sys
import types
import unittest

import pytest

from ci_cache_isolation.isolation import unittest_hook
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from tests import under_unittest
from tests.under_unittest import hook_only, new_class, repeated, run, suite_of

hooked = under_unittest.hooked
isolation = under_unittest.isolation
cache = under_unittest.cache

MODULE = Scope(ScopeKind.MODULE, "app")
CLASS = Scope(ScopeKind.CLASS, "app.Tests")
TEST = Scope(ScopeKind.TEST, "app.Tests.test_one")


@pytest.fixture
def new_module(monkeypatch):
    """Make modules for test classes; unittest looks for their fixtures by name."""

    def new(name="app", **members):
        module = types.ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)

    return new


def nothing(self):
    """Do nothing."""


def test_a_test_and_its_class_are_named_as_unittest_names_them():
    test_class = new_class(test_one=nothing)
    assert unittest_hook.scope_of_class(test_class) == CLASS
    assert unittest_hook.scope_of_test(test_class("test_one")) == TEST
    assert TEST.name == test_class("test_one").id()


def test_an_inherited_test_belongs_to_its_class_but_knows_its_function():
    def test_one(self):
        """Do nothing: it is only named."""

    base = new_class("Base", "base", test_one=test_one)
    scope = unittest_hook.scope_of_test(new_class(base=base)("test_one"))
    assert (scope.name, scope.function) == ("app.Tests.test_one", test_one)


def test_scopes_open_and_close_around_all_fixtures(hooked, new_module):
    seen = []

    def see(what, *expected):
        def fixture(*args):
            seen.append(what)
            assert hooked.path == expected, what

        return fixture

    def set_up_module():
        see("setUpModule", MODULE)()
        unittest.addModuleCleanup(see("module cleanup", MODULE))

    def set_up_class(cls):
        see("setUpClass", MODULE, CLASS)()
        cls.addClassCleanup(see("class cleanup", MODULE, CLASS))

    def set_up(self):
        see("setUp", MODULE, CLASS, TEST)()
        self.addCleanup(see("cleanup", MODULE, CLASS, TEST))

    new_module(setUpModule=set_up_module, tearDownModule=see("tearDownModule", MODULE))
    test_class = new_class(
        setUpClass=set_up_class,
        setUp=set_up,
        test_one=see("test", MODULE, CLASS, TEST),
        tearDown=see("tearDown", MODULE, CLASS, TEST),
        tearDownClass=see("tearDownClass", MODULE, CLASS),
    )
    run(suite_of(test_class))
    assert seen == [
        "setUpModule",
        "setUpClass",
        "setUp",
        "test",
        "tearDown",
        "cleanup",
        "tearDownClass",
        "class cleanup",
        "tearDownModule",
        "module cleanup",
    ]
    assert hooked.path == ()


def relative(numbers):
    return [number - numbers[0] for number in numbers]


def test_every_module_class_and_test_has_one_section(hooked):
    numbers = []
    classes = [
        new_class(name, module, **repeated(lambda: numbers.append(hooked.number), 2))
        for module in ("app", "other")
        for name in ("Tests", "OtherTests")
    ]
    run(suite_of(*classes))
    # Module, class, test, test; class, test, test; and once more.
    assert relative(numbers) == [0, 1, 3, 4, 7, 8, 10, 11]


def test_scopes_open_inside_those_that_are_open_already(hooked):
    paths = []
    hooked.begin(MODULE)
    run(suite_of(new_class(test_one=lambda self: paths.append(hooked.path))))
    assert paths == [(MODULE, MODULE, CLASS, TEST)]
    assert hooked.path == (MODULE,)


def test_a_test_does_not_see_what_another_one_stored(isolation, cache):
    found = []

    def look_and_store():
        found.append(cache.get("key"))
        cache.set("key", len(found))

    run(suite_of(new_class(**repeated(look_and_store))))
    assert found == ([None, None, None] if isolation else [None, 1, 2])


def test_a_test_sees_what_its_class_stored_as_it_stored_it(isolation, cache):
    found = []

    def set_up_class(cls):
        cache.set("counted", 1)
        cache.set("deleted", 1)

    def look_and_spoil():
        found.append(cache.get_many(["counted", "deleted"]))
        cache.incr("counted")
        cache.delete("deleted")

    run(suite_of(new_class(setUpClass=set_up_class, **repeated(look_and_spoil, 2))))
    as_stored, spoilt = {"counted": 1, "deleted": 1}, {"counted": 2}
    assert found == [as_stored, as_stored if isolation else spoilt]


def test_set_up_and_tear_down_share_the_section_of_their_test(isolation, cache):
    found = []
    test_class = new_class(
        setUp=lambda self: found.append(cache.add("key", 1)),
        tearDown=lambda self: found.append(cache.get("key")),
        **repeated(lambda: cache.incr("key"), 2),
    )
    run(suite_of(test_class))
    assert found == ([True, 2, True, 2] if isolation else [True, 2, False, 3])


def test_a_class_is_torn_down_in_the_state_that_it_was_set_up_in(isolation, cache):
    found = []
    test_class = new_class(
        setUpClass=lambda cls: cache.set("key", 1),
        tearDownClass=lambda cls: found.append(cache.get("key")),
        **repeated(cache.clear, 1),
    )
    run(suite_of(test_class))
    assert found == [1 if isolation else None]


def test_a_class_does_not_see_what_another_one_stored(isolation, cache):
    found = []

    def set_up_class(cls):
        found.append(cache.get("key"))
        cache.set("key", 1)

    classes = [
        new_class(name, setUpClass=set_up_class, test_one=nothing)
        for name in ("Tests", "OtherTests")
    ]
    run(suite_of(*classes))
    assert found == [None, None if isolation else 1]


def test_a_module_does_not_see_what_another_one_stored(isolation, cache, new_module):
    found = []

    def set_up_module():
        found.append(cache.get("key"))
        cache.set("key", 1)

    def tear_down_module():
        found.append(cache.get("key"))

    for name in ("app", "other"):
        new_module(name, setUpModule=set_up_module, tearDownModule=tear_down_module)
    classes = [
        new_class(module=name, **repeated(lambda: cache.incr("key"), 1))
        for name in ("app", "other")
    ]
    run(suite_of(*classes))
    assert found == ([None, 1, None, 1] if isolation else [None, 2, 2, 2])


def test_all_classes_of_a_module_see_what_the_module_stored(
    isolation, cache, new_module
):
    found = []

    def look_and_spoil():
        found.append(cache.get("key"))
        cache.clear()

    new_module(setUpModule=lambda: cache.set("key", 1))
    classes = [
        new_class(name, **repeated(look_and_spoil, 1))
        for name in ("Tests", "OtherTests")
    ]
    run(suite_of(*classes))
    assert found == [1, 1 if isolation else None]


def test_after_a_run_caches_are_as_they_were(isolation, cache, new_module):
    cache.set("before", 1)
    new_module(setUpModule=lambda: cache.set("of-module", 1))
    test_class = new_class(
        setUpClass=lambda cls: cache.set("of-class", 1),
        **repeated(lambda: cache.set("before", 2), 1),
    )
    run(suite_of(test_class))
    keys = ["before", "of-module", "of-class"]
    assert cache.get_many(keys) == (
        {"before": 1} if isolation else {"before": 2, "of-module": 1, "of-class": 1}
    )


def test_a_class_whose_set_up_fails_leaves_nothing(isolation, stack, cache):
    found = []

    def set_up_class(cls):
        cache.set("key", 1)
        cls.addClassCleanup(lambda: found.append(cache.get("key")))
        raise ZeroDivisionError

    failing = new_class("FailingTests", setUpClass=set_up_class, test_one=nothing)
    following = new_class(test_one=lambda self: found.append(cache.get("key")))
    result = unittest.TestResult()
    suite_of(failing, following).run(result)
    assert [str(test) for test, _ in result.errors] == ["setUpClass (app.FailingTests)"]
    assert found == [1, None if isolation else 1]
    assert stack.path == ()


def test_a_class_whose_tear_down_fails_leaves_nothing(isolation, stack, cache):
    found = []

    def tear_down_class(cls):
        cache.set("key", 1)
        raise ZeroDivisionError

    failing = new_class("Failing", tearDownClass=tear_down_class, test_one=nothing)
    following = new_class(test_one=lambda self: found.append(cache.get("key")))
    result = unittest.TestResult()
    suite_of(failing, following).run(result)
    assert len(result.errors) == 1
    assert found == [None if isolation else 1]
    assert stack.path == ()


def test_a_module_whose_set_up_fails_leaves_nothing(
    isolation, stack, cache, new_module
):
    found = []

    def set_up_module():
        cache.set("key", 1)
        unittest.addModuleCleanup(lambda: found.append(cache.get("key")))
        raise ZeroDivisionError

    new_module("failing", setUpModule=set_up_module)
    new_module("app")
    failing = new_class(module="failing", test_one=lambda self: found.append("ran"))
    following = new_class(test_one=lambda self: found.append(cache.get("key")))
    result = unittest.TestResult()
    suite_of(failing, following).run(result)
    assert [str(test) for test, _ in result.errors] == ["setUpModule (failing)"]
    assert found == [1, None if isolation else 1]
    assert stack.path == ()


def test_a_module_whose_set_up_fails_at_the_end_leaves_nothing(
    isolation, stack, cache, new_module
):
    def set_up_module():
        cache.set("key", 1)
        raise ZeroDivisionError

    new_module(setUpModule=set_up_module)
    result = unittest.TestResult()
    suite_of(new_class(test_one=nothing)).run(result)
    assert len(result.errors) == 1
    assert cache.get("key") == (None if isolation else 1)
    assert stack.path == ()


def test_a_test_that_fails_or_errs_leaves_nothing(isolation, stack, cache):
    found = []

    def fail(self):
        found.append(cache.get("key"))
        cache.set("key", 1)
        self.fail()

    def err(self):
        found.append(cache.get("key"))
        cache.set("key", 1)
        raise ZeroDivisionError

    result = unittest.TestResult()
    suite_of(new_class(test_one=fail, test_two=err)).run(result)
    assert (len(result.failures), len(result.errors)) == (1, 1)
    assert found == [None, None if isolation else 1]
    assert stack.path == ()


def test_a_skipped_class_is_passed_over(isolation, stack, cache):
    found = []
    skipped = unittest.skip("not now")(
        new_class("SkippedTests", setUpClass=lambda cls: found.append("set up"))
    )
    skipped.test_one = nothing
    classes = [
        new_class(name, **repeated(lambda: found.append(cache.add("key", 1)), 1))
        for name in ("Tests", "OtherTests")
    ]
    result = run(suite_of(classes[0], skipped, classes[1]))
    assert len(result.skipped) == 1
    assert found == [True, isolation]
    assert stack.path == ()


def test_a_class_that_skips_itself_in_its_set_up_leaves_nothing(
    isolation, stack, cache
):
    def set_up_class(cls):
        cache.set("key", 1)
        raise unittest.SkipTest

    result = run(suite_of(new_class(setUpClass=set_up_class, test_one=nothing)))
    assert len(result.skipped) == 1
    assert cache.get("key") == (None if isolation else 1)
    assert stack.path == ()


def test_an_interrupted_run_leaves_nothing(isolation, stack, cache):
    def interrupt(self):
        cache.set("key", 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(suite_of(new_class(test_one=interrupt)))
    assert cache.get("key") == (None if isolation else 1)
    assert stack.path == ()


def test_a_run_for_the_debugger_that_stops_at_a_failure_leaves_nothing(
    isolation, stack, cache
):
    def fail(self):
        cache.set("key", 1)
        self.fail()

    with pytest.raises(AssertionError):
        suite_of(new_class(test_one=fail)).debug()
    assert cache.get("key") == (None if isolation else 1)
    assert stack.path == ()


def test_a_run_for_the_debugger_is_isolated(isolation, stack, cache):
    found = []
    test_class = new_class(**repeated(lambda: found.append(cache.add("key", 1)), 2))
    suite_of(test_class).debug()
    assert found == [True, isolation]
    assert stack.path == ()


def test_a_run_that_stops_at_the_first_failure_leaves_nothing(isolation, stack, cache):
    def fail(self):
        cache.set("key", 1)
        self.fail()

    result = unittest.TestResult()
    result.failfast = True
    suite_of(new_class(test_one=fail, test_two=fail)).run(result)
    assert result.testsRun == 1
    assert cache.get("key") == (None if isolation else 1)
    assert stack.path == ()


def test_a_run_that_is_stopped_between_suites_leaves_nothing(isolation, stack, cache):
    result = unittest.TestResult()

    def stop(self):
        cache.set("key", 1)
        result.stop()

    stopping = suite_of(new_class(test_one=stop))
    following = suite_of(new_class("OtherTests", test_one=stop))
    unittest.TestSuite([stopping, following]).run(result)
    assert result.testsRun == 1
    assert cache.get("key") == (None if isolation else 1)
    assert stack.path == ()


def test_a_class_that_is_spread_over_nested_suites_has_one_section(hooked, cache):
    numbers = []
    test_class = new_class(
        setUpClass=lambda cls: numbers.append(hooked.number),
        **repeated(lambda: numbers.append(hooked.number), 2),
    )
    one, other = suite_of(test_class)
    nested = unittest.TestSuite(
        [unittest.TestSuite([one]), unittest.TestSuite([unittest.TestSuite([other])])]
    )
    run(nested)
    assert relative(numbers) == [0, 1, 2]
    assert hooked.path == ()


class KeptSuite(unittest.TestSuite):
    """A suite that can be run again."""

    _cleanup = False


@pytest.mark.parametrize("same_result", [True, False])
def test_a_suite_that_runs_twice_meets_nothing_of_its_first_run(
    isolation, stack, cache, same_result
):
    found = []
    test_class = new_class(**repeated(lambda: found.append(cache.add("key", 1)), 1))
    suite = suite_of(test_class, suite_class=KeptSuite)
    result = run(suite)
    run(suite, result if same_result else None)
    assert found == [True, isolation]
    assert stack.path == ()


def test_one_test_that_runs_twice_has_two_sections(isolation, cache):
    found = []
    test_class = new_class(test_one=lambda self: found.append(cache.add("key", 1)))
    test = test_class("test_one")
    run(unittest.TestSuite([test, test]))
    assert found == [True, isolation]


def test_a_test_may_run_a_suite(isolation, stack, cache):
    found = []
    inner = new_class("InnerTests", **repeated(lambda: cache.incr("outer"), 2))

    def run_inner(self):
        path = stack.path
        cache.set("outer", 1)
        run(suite_of(inner))
        found.append(cache.get("outer"))
        assert stack.path == path

    run(suite_of(new_class(test_one=run_inner, test_two=run_inner)))
    assert found == ([1, 1] if isolation else [3, 3])
    assert stack.path == ()


def test_an_inner_suite_that_is_interrupted_leaves_nothing(isolation, stack, cache):
    found = []

    def interrupt(self):
        cache.set("key", 1)
        raise KeyboardInterrupt

    def run_inner(self):
        path = stack.path
        with pytest.raises(KeyboardInterrupt):
            run(suite_of(new_class("InnerTests", test_one=interrupt)))
        found.append(cache.get("key"))
        assert stack.path == path

    run(suite_of(new_class(test_one=run_inner)))
    assert found == [None if isolation else 1]


def test_tests_that_are_no_methods_have_sections_too(isolation, cache):
    found = []

    def look():
        """Look whether somebody was here.

        >>> look()
        """
        found.append(cache.add("key", 1))

    example = doctest.DocTestFinder().find(look, "look", globs={"look": look})[0]
    run(
        unittest.TestSuite(
            [
                unittest.FunctionTestCase(look),
                unittest.FunctionTestCase(look),
                doctest.DocTestCase(example),
            ]
        )
    )
    assert found == [True, isolation, isolation]


def test_a_module_that_cannot_be_imported_fails_as_without_isolation(isolation, stack):
    suite = unittest.defaultTestLoader.loadTestsFromName("is_not_there")
    result = unittest.TestResult()
    suite.run(result)
    assert "No module named 'is_not_there'" in result.errors[0][1]
    assert stack.path == ()


def test_detaching_gives_unittest_its_own_methods_back(hooked):
    names = [name for name in vars(unittest.TestSuite) if name.startswith("_")]
    wrapped = [
        name
        for name in names
        if hasattr(getattr(unittest.TestSuite, name), "__wrapped__")
    ]
    assert "_handleClassSetUp" in wrapped
    unittest_hook.detach()
    assert not any(
        hasattr(getattr(unittest.TestSuite, name), "__wrapped__") for name in wrapped
    )


def test_a_wrapper_that_came_after_stays_when_we_detach(hooked):
    ours, seen = unittest.TestSuite._handleClassSetUp, []

    def theirs(suite, test, result):
        seen.append(test)
        return ours(suite, test, result)

    unittest.TestSuite._handleClassSetUp = theirs
    try:
        unittest_hook.detach()
        run(suite_of(new_class(test_one=nothing)))
        assert unittest.TestSuite._handleClassSetUp is theirs
    finally:
        unittest.TestSuite._handleClassSetUp = ours
        unittest_hook.detach()
    assert len(seen) == 1
    assert hooked.number == 0


def test_attaching_again_under_another_wrapper_gives_one_section(hooked, cache):
    ours, seen, numbers = unittest.TestSuite._handleClassSetUp, [], []

    def theirs(suite, test, result):
        seen.append(test)
        return ours(suite, test, result)

    unittest.TestSuite._handleClassSetUp = theirs
    try:
        unittest_hook.detach()
        unittest_hook.attach(hooked, lambda: True)
        run(suite_of(new_class(**repeated(lambda: numbers.append(hooked.number), 2))))
    finally:
        unittest.TestSuite._handleClassSetUp = ours
    assert len(seen) == 2
    assert relative(numbers) == [0, 1]
    assert hooked.path == ()


def test_a_run_that_begins_where_isolation_is_not_enabled_has_no_scopes(stack, cache):
    for _ in hook_only(stack):
        unittest_hook.detach()
        unittest_hook.attach(stack, lambda: False)
        run(suite_of(new_class(**repeated(lambda: cache.add("key", 1), 2))))
        assert stack.number == 0
        assert cache.get("key") == 1
