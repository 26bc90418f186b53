"""Suites of unittest with scopes from a stack of a test's own, or from none."""

import unittest

import pytest

from ci_cache_isolation.isolation import switch, unittest_hook


def hook_only(stack):
    """Have a stack under unittest instead of the process's own, or none."""
    was_installed = switch.is_installed()
    unittest_hook.detach()
    own_methods = {
        name: method
        for name, method in vars(unittest.TestSuite).items()
        if callable(method)
    }
    if stack is not None:
        unittest_hook.attach(stack, lambda: True)
    yield stack
    unittest_hook.detach()
    for name, method in own_methods.items():
        setattr(unittest.TestSuite, name, method)
    if was_installed:
        unittest_hook.attach(switch.STACK, switch._is_enabled)


@pytest.fixture
def hooked(stack):
    yield from hook_only(stack)


@pytest.fixture(params=["on", "off"])
def isolation(request, stack):
    """Run a test twice: with scopes, and without, where the leak must show."""
    for hooked in hook_only(stack if request.param == "on" else None):
        yield hooked is not None


@pytest.fixture
def cache(new_cache):
    return new_cache()


def new_class(name="Tests", module="app", base=unittest.TestCase, **members):
    for member in ("setUpClass", "tearDownClass"):
        if member in members:
            members[member] = classmethod(members[member])
    return type(name, (base,), {"__module__": module, "__qualname__": name, **members})


def suite_of(*classes, suite_class=unittest.TestSuite):
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    return suite_class([test for each in classes for test in load(each)])


def run(suite, result=None):
    """Run a suite; return its result, which must hold no failures."""
    result = unittest.TestResult() if result is None else result
    suite.run(result)
    assert result.errors + result.failures == []
    return result


def repeated(function, number=3):
    """Return several tests that do one thing."""

    def test(self):
        function()

    return {f"test_{index}": test for index in range(number)}
