"""A section for a block, a function, a coroutine, a generator or a class of tests."""

import asyncio
import inspect
import pickle
import unittest

import pytest
from django.core.cache import cache
from django.test import SimpleTestCase

from ci_cache_isolation import IsolatedCacheMixin, current_section, isolated
from ci_cache_isolation.isolation.scopes import ScopeKind
from ci_cache_isolation.isolation.switch import STACK

FORMS = pytest.mark.parametrize("form", [isolated, isolated()], ids=["bare", "called"])


@pytest.fixture
def isolation(isolation):
    """Store something outside, and nothing else afterwards, isolated or not."""
    cache.set("outside", 1)
    yield isolation
    cache.clear()


def spoil():
    """Change what was stored, store something else; return what was found."""
    found = cache.get("outside"), cache.get("inside")
    cache.incr("outside")
    cache.set("inside", 1)
    return found


def left():
    return cache.get("outside"), cache.get("inside")


FOUND, SPOILT, SPOILT_TWICE = (1, None), (2, 1), (3, 1)


def run(*tests):
    """Run tests in a suite; all of them must pass."""
    result = unittest.TestResult()
    unittest.TestSuite(tests).run(result)
    assert result.errors + result.failures == []
    assert result.testsRun == len(tests)


def call(*tests):
    """Run tests without a suite, so that nothing but their class can isolate them."""
    result = unittest.TestResult()
    for test in tests:
        test(result)
    assert result.errors + result.failures == []
    assert result.testsRun == len(tests)


def debug(*tests):
    for test in tests:
        test.debug()


# Blocks


def test_what_is_done_in_a_block_is_gone_after_it(isolation):
    with isolated():
        assert spoil() == FOUND
        assert left() == SPOILT
    assert left() == (FOUND if isolation else SPOILT)


def test_an_error_leaves_a_block_and_its_section_ends(isolation):
    def fail():
        with isolated():
            spoil()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert left() == (FOUND if isolation else SPOILT)


def test_blocks_nest(isolation):
    with isolated():
        spoil()
        with isolated():
            assert spoil() == SPOILT
        assert left() == (SPOILT if isolation else SPOILT_TWICE)
    assert left() == (FOUND if isolation else SPOILT_TWICE)


def test_one_block_can_be_entered_again(isolation):
    block, found = isolated(), []
    for _ in range(2):
        with block:
            found.append(spoil())
    assert found == [FOUND, FOUND if isolation else SPOILT]


def test_one_block_can_be_entered_inside_itself(isolation):
    block = isolated()
    with block:
        spoil()
        with block:
            spoil()
        assert left() == (SPOILT if isolation else SPOILT_TWICE)
    assert left() == (FOUND if isolation else SPOILT_TWICE)


def test_a_block_begins_a_section_inside_the_one_in_use():
    path, section = STACK.path, current_section()
    with isolated():
        assert STACK.path[:-1] == path
        assert STACK.innermost.kind is ScopeKind.BLOCK
        assert current_section() > section
    assert (STACK.path, current_section()) == (path, section)


def test_a_block_that_a_test_enters_lasts_until_its_clean_up(isolation):
    class Tests(unittest.TestCase):
        def setUp(self):
            self.addCleanup(lambda: ends.append(left()))
            self.enterContext(isolated())
            cache.set("inside", 1)

        def test_one(self):
            assert left() == (1, 1)

    ends = []
    run(Tests("test_one"))
    assert ends == [FOUND if isolation else (1, 1)]


def test_a_block_that_a_class_enters_lasts_for_all_its_tests(isolation):
    class Tests(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.enterClassContext(isolated())
            cache.set("inside", 1)

        def test_one(self):
            found.append(left())
            cache.clear()

        test_two = test_one

        @classmethod
        def tearDownClass(cls):
            found.append(left())

    found, path = [], STACK.path
    run(Tests("test_one"), Tests("test_two"))
    assert found == ([(1, 1)] * 3 if isolation else [(1, 1)] + [(None, None)] * 2)
    assert STACK.path == path
    assert left() == (FOUND if isolation else (None, None))


# Functions, coroutines and generators


@FORMS
def test_what_a_function_does_is_gone_when_it_returns(isolation, form):
    @form
    def function(*args, **kwargs):
        return args, kwargs, spoil()

    assert function(1, a=2) == ((1,), {"a": 2}, FOUND)
    assert left() == (FOUND if isolation else SPOILT)
    assert function() == ((), {}, FOUND if isolation else SPOILT)


@FORMS
def test_what_a_coroutine_does_is_gone_when_it_returns(isolation, form):
    @form
    async def coroutine(*args, **kwargs):
        await asyncio.sleep(0)
        await cache.aset("inside", 1)
        await cache.aincr("outside")
        return args, kwargs, await cache.aget("outside")

    assert inspect.iscoroutinefunction(coroutine)
    assert asyncio.run(coroutine(1, a=2)) == ((1,), {"a": 2}, 2)
    assert left() == (FOUND if isolation else SPOILT)


def test_of_two_coroutines_at_a_time_none_ends_the_section_of_the_other(isolation):
    @isolated
    async def first():
        await cache.aset("of-first", 1)
        first_began.set()
        await second_began.wait()

    @isolated
    async def second(task):
        await cache.aset("inside", 1)
        second_began.set()
        await task
        return len(STACK.path), await cache.aget_many(["of-first", "inside"])

    async def both():
        task = asyncio.ensure_future(first())
        await first_began.wait()
        return await second(task)

    first_began, second_began, path = asyncio.Event(), asyncio.Event(), STACK.path
    depth, found = asyncio.run(both())
    assert depth == len(path) + isolation
    assert found == ({"inside": 1} if isolation else {"of-first": 1, "inside": 1})
    assert STACK.path == path
    assert cache.get("of-first") == (None if isolation else 1)
    assert left() == (FOUND if isolation else (1, 1))


@FORMS
def test_what_a_generator_does_is_gone_when_it_is_exhausted(isolation, form):
    @form
    def generator(first):
        found = spoil()
        sent = yield first
        assert left() == SPOILT
        yield sent
        return found

    running = generator("first")
    assert inspect.isgeneratorfunction(generator)
    assert left() == FOUND
    assert next(running) == "first"
    assert running.send("second") == "second"
    with pytest.raises(StopIteration) as ended:
        next(running)
    assert ended.value.value == FOUND
    assert left() == (FOUND if isolation else SPOILT)


def test_what_a_generator_does_is_gone_when_it_is_closed(isolation):
    @isolated
    def generator():
        spoil()
        yield

    running = generator()
    next(running)
    running.close()
    assert left() == (FOUND if isolation else SPOILT)


def test_an_error_thrown_into_a_generator_arrives_there(isolation):
    @isolated
    def generator():
        spoil()
        try:
            yield
        except ZeroDivisionError:
            yield "caught"

    running = generator()
    next(running)
    assert running.throw(ZeroDivisionError) == "caught"
    assert list(running) == []
    assert left() == (FOUND if isolation else SPOILT)


def test_an_error_leaves_a_function_and_its_section_ends(isolation):
    @isolated
    def function():
        spoil()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        function()
    assert left() == (FOUND if isolation else SPOILT)


def test_an_error_leaves_a_coroutine_and_its_section_ends(isolation):
    @isolated
    async def coroutine():
        spoil()
        await asyncio.sleep(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(coroutine())
    assert left() == (FOUND if isolation else SPOILT)


def test_an_error_leaves_a_generator_and_its_section_ends(isolation):
    @isolated
    def generator():
        spoil()
        yield
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(generator())
    assert left() == (FOUND if isolation else SPOILT)


@FORMS
def test_a_decorated_function_looks_like_itself(form):
    def function(one, *, other=2):
        """Say what it does."""

    decorated = form(function)
    assert decorated.__name__ == "function"
    assert decorated.__qualname__ == function.__qualname__
    assert decorated.__doc__ == "Say what it does."
    assert inspect.signature(decorated) == inspect.signature(function)
    assert decorated.__wrapped__ is function


def test_a_function_that_is_decorated_twice_works(isolation):
    @isolated
    @isolated
    def function():
        return spoil()

    assert function() == FOUND
    assert left() == (FOUND if isolation else SPOILT)


def test_a_method_can_be_decorated(isolation):
    class Holder:
        @isolated
        def method(self):
            return self, spoil()

        @classmethod
        @isolated
        def of_class(cls):
            return cls, spoil()

    holder = Holder()
    assert holder.method() == (holder, FOUND)
    assert Holder.of_class() == (Holder, FOUND if isolation else SPOILT)
    assert left() == (FOUND if isolation else SPOILT_TWICE)


@pytest.fixture
def section():
    """The section of a test, which must be the same when the fixture is torn down."""
    before = current_section()
    cache.set("of-fixture", before)
    yield before
    assert current_section() == before
    assert cache.get("of-test") == before


@isolated
def test_a_decorated_test_has_one_section_with_its_fixtures(section):
    assert current_section() == section
    assert cache.get("of-fixture") == section
    cache.set("of-test", section)


@isolated
@isolated()
def test_a_test_that_is_decorated_twice_has_one_section_with_its_fixtures(section):
    assert current_section() == section
    cache.set("of-test", section)


def test_a_function_that_a_test_calls_has_a_section_of_its_own():
    @isolated
    def function():
        return current_section()

    assert function() > current_section()


# Classes


@FORMS
@pytest.mark.parametrize("base", [unittest.TestCase, SimpleTestCase])
@pytest.mark.parametrize("run_without_suite", [call, debug])
def test_the_tests_of_a_decorated_class_are_isolated(
    isolation, form, base, run_without_suite
):
    class Tests(base):
        def test_one(self):
            found.append(spoil())

        test_two = test_one

    found = []
    decorated = form(Tests)
    run_without_suite(decorated("test_one"), decorated("test_two"))
    assert found == [FOUND, FOUND if isolation else SPOILT]
    assert left() == (FOUND if isolation else SPOILT_TWICE)


@pytest.mark.parametrize("base", [unittest.TestCase, SimpleTestCase])
@pytest.mark.parametrize("run_without_suite", [call, debug])
def test_the_tests_of_a_class_with_the_mixin_are_isolated(
    isolation, base, run_without_suite
):
    class Tests(IsolatedCacheMixin, base):
        def test_one(self):
            found.append(spoil())

        test_two = test_one

    found = []
    run_without_suite(Tests("test_one"), Tests("test_two"))
    assert found == [FOUND, FOUND if isolation else SPOILT]
    assert left() == (FOUND if isolation else SPOILT_TWICE)


def test_asynchronous_tests_of_a_decorated_class_are_isolated(isolation):
    @isolated
    class Tests(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self):
            await cache.aincr("outside")

        async def test_one(self):
            found.append(await cache.aget("outside"))

        test_two = test_one

    found = []
    call(Tests("test_one"), Tests("test_two"))
    assert found == [2, 2 if isolation else 3]


@isolated
class DecoratedTests(unittest.TestCase):
    def test_one(self):
        """Do nothing: it is only pickled."""


def test_a_decorated_class_stays_the_class_it_was():
    class Tests(unittest.TestCase):
        def test_one(self):
            """Do nothing."""

    assert isolated(Tests) is Tests
    assert isolated()(Tests) is Tests
    assert Tests.__mro__ == (Tests, *unittest.TestCase.__mro__)
    assert unittest.defaultTestLoader.getTestCaseNames(Tests) == ["test_one"]


def test_a_test_of_a_decorated_class_can_be_sent_to_another_process():
    test = pickle.loads(pickle.dumps(DecoratedTests("test_one")))
    assert type(test) is DecoratedTests
    assert test == DecoratedTests("test_one")
    assert pickle.loads(pickle.dumps(DecoratedTests)) is DecoratedTests


def fixtures_of(make):
    """Return what the fixtures and tests of a class find, each spoiling it."""

    class Base(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            cls.addClassCleanup(lambda: found.append(("cleanup", left())))
            found.append(("setUpClass", spoil()))

        def setUp(self):
            found.append(("setUp", spoil()))

        def test_one(self):
            found.append(("test", left()))

        test_two = test_one

        def tearDown(self):
            found.append(("tearDown", left()))

        @classmethod
        def tearDownClass(cls):
            found.append(("tearDownClass", left()))
            super().tearDownClass()

    found = []
    test_class = make(Base)
    run(test_class("test_one"), test_class("test_two"))
    return found


def with_mixin(base):
    class Tests(IsolatedCacheMixin, base):
        pass

    return Tests


def with_all_of_it(base):
    @isolated
    class Tests(IsolatedCacheMixin, isolated(base)):
        test_one = isolated(base.test_one)
        test_two = isolated(base.test_two)

    return Tests


@pytest.mark.parametrize("make", [isolated, with_mixin, with_all_of_it])
def test_fixtures_of_a_class_run_in_its_sections(isolation, make):
    found = fixtures_of(make)
    test = [("setUp", SPOILT), ("test", SPOILT_TWICE), ("tearDown", SPOILT_TWICE)]
    again = test if isolation else [(what, (n + 1, 1)) for what, (n, _) in test]
    of_class = SPOILT if isolation else (4, 1)
    assert found == [
        ("setUpClass", FOUND),
        *test,
        *again,
        ("tearDownClass", of_class),
        ("cleanup", of_class),
    ]
    assert left() == (FOUND if isolation else of_class)


@pytest.mark.parametrize("make", [isolated, with_mixin])
def test_a_class_whose_set_up_fails_leaves_nothing(isolation, make):
    class Base(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            spoil()
            raise ZeroDivisionError

        def test_one(self):
            """Never run."""

    path, result = STACK.path, unittest.TestResult()
    unittest.TestSuite([make(Base)("test_one")]).run(result)
    assert len(result.errors) == 1
    assert left() == (FOUND if isolation else SPOILT)
    assert STACK.path == path


def test_a_subclass_of_a_decorated_class_is_isolated_too(isolation):
    @isolated
    class Base(unittest.TestCase):
        def test_one(self):
            found.append(spoil())

    class Tests(Base):
        def test_two(self):
            found.append(spoil())

    found = []
    call(Tests("test_one"), Tests("test_two"))
    assert found == [FOUND, FOUND if isolation else SPOILT]


def test_what_a_decorated_class_overrides_runs_in_its_sections(isolation):
    @isolated
    class Tests(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            found.append(spoil())

        def __call__(self, *args, **kwargs):
            found.append(spoil())
            return super().__call__(*args, **kwargs)

        def debug(self):
            found.append(spoil())
            super().debug()

        def test_one(self):
            found.append(left())

    found = []
    run(Tests("test_one"))
    assert found == [FOUND, SPOILT, SPOILT_TWICE]
    assert left() == (FOUND if isolation else SPOILT_TWICE)
    found.clear()
    Tests("test_one").debug()
    assert found[0] == (FOUND if isolation else SPOILT_TWICE)
    assert left() == (FOUND if isolation else (4, 1))


def test_a_base_class_beside_a_decorated_one_is_set_up_and_called_too():
    """As Python's method resolution order has it."""
    called = []

    class Other(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            called.append("setUpClass")
            super().setUpClass()

        def __call__(self, *args, **kwargs):
            called.append("__call__")
            return super().__call__(*args, **kwargs)

        def debug(self):
            called.append("debug")
            super().debug()

    @isolated
    class Decorated(unittest.TestCase):
        def test_one(self):
            called.append("test")

    class Tests(Decorated, Other):
        pass

    run(Tests("test_one"))
    Tests("test_one").debug()
    assert called == ["setUpClass", "__call__", "test", "debug", "test"]


@FORMS
def test_the_tests_of_a_class_that_only_pytest_knows_are_isolated(isolation, form):
    class TestsOfPytest:
        def setup_method(self):
            """Not a test, so left alone."""

        def test_one(self):
            return spoil()

        async def test_two(self):
            return spoil()

        def helper(self):
            return spoil()

        test_data = "not a test"

    setup, helper = TestsOfPytest.setup_method, TestsOfPytest.helper
    assert form(TestsOfPytest) is TestsOfPytest
    tests = TestsOfPytest()
    assert tests.test_one() == FOUND
    assert asyncio.run(tests.test_two()) == (FOUND if isolation else SPOILT)
    assert (TestsOfPytest.setup_method, TestsOfPytest.helper) == (setup, helper)
    assert TestsOfPytest.test_data == "not a test"
    assert left() == (FOUND if isolation else SPOILT_TWICE)


def test_inherited_tests_of_a_class_that_only_pytest_knows_are_isolated(isolation):
    class Base:
        def test_one(self):
            return spoil()

    inherited = Base.test_one

    @isolated
    class TestsOfPytest(Base):
        pass

    assert TestsOfPytest().test_one() == FOUND
    assert left() == (FOUND if isolation else SPOILT)
    assert Base.test_one is inherited


def test_static_and_class_methods_of_a_class_that_only_pytest_knows_are_isolated(
    isolation,
):
    @isolated
    class TestsOfPytest:
        @staticmethod
        def test_static():
            return spoil()

        @classmethod
        def test_of_class(cls):
            return cls, spoil()

    assert TestsOfPytest().test_static() == FOUND
    assert TestsOfPytest().test_of_class() == (
        TestsOfPytest,
        FOUND if isolation else SPOILT,
    )
    assert left() == (FOUND if isolation else SPOILT_TWICE)


# What can't be decorated


async def asynchronous_generator():
    yield


@FORMS
@pytest.mark.parametrize(
    "wrong",
    [asynchronous_generator, 1, "text", classmethod(spoil)],
    ids=["asynchronous generator", "number", "text", "class method"],
)
def test_what_is_no_function_cannot_be_decorated(form, wrong):
    with pytest.raises(TypeError) as caught:
        form(wrong)
    assert str(caught.value) == (
        f"isolated can't decorate {wrong!r}: it is no function, coroutine function, "
        "generator function or class. Use 'with isolated():' inside it."
    )


@FORMS
def test_a_class_without_tests_cannot_be_decorated(form):
    class Helper:
        def help(self):
            """Do nothing."""

    with pytest.raises(TypeError) as caught:
        form(Helper)
    assert str(caught.value) == (
        f"isolated can't decorate {Helper!r}: it holds no tests, so there is nothing "
        "to give a section to. Decorate the functions that use a cache."
    )


# Alone, and with all doors open at once
