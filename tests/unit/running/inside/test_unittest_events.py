"""What unittest's results come to as events, whatever fails where."""

import unittest

import pytest

from ci_cache_isolation.running.events import Events, Told
from ci_cache_isolation.running.inside.unittest_events import QuietResult, tell_of


class SetUpFails(unittest.TestCase):
    __test__ = False

    @classmethod
    def setUpClass(cls):
        raise LookupError("no shelf")

    def test_one(self):
        pass

    def test_two(self):
        pass


class TakingDownFails(unittest.TestCase):
    __test__ = False

    @classmethod
    def tearDownClass(cls):
        raise LookupError("no bin")

    def test_one(self):
        pass

    def test_two(self):
        pass


class Various(unittest.TestCase):
    __test__ = False

    def test_passes(self):
        pass

    def test_fails(self):
        self.fail("so it is")

    @unittest.skip("not today")
    def test_is_skipped(self):
        pass

    @unittest.expectedFailure
    def test_fails_as_expected(self):
        self.fail()

    @unittest.expectedFailure
    def test_passes_unexpectedly(self):
        pass

    def test_has_a_part_that_fails(self):
        for number in range(3):
            with self.subTest(number):
                self.assertNotEqual(number, 1)


@pytest.fixture(params=[QuietResult, unittest.TestResult])
def told_of(request):
    """Run a class with a result of each kind; return what is told of it."""

    def run(test_class):
        told = Told()
        tests = [*unittest.TestLoader().loadTestsFromTestCase(test_class)]
        result = request.param()
        tell_of(result, tests, Events(told.take))
        unittest.TestSuite(tests).run(result)
        return told

    return run


def short(found):
    return {test.rpartition(".")[2]: each for test, each in found.items()}


def test_outcomes_are_told_with_a_line_for_each_failure(told_of):
    told = told_of(Various)
    assert short(told.outcomes) == {
        "test_fails": "failed",
        "test_fails_as_expected": "passed",
        "test_has_a_part_that_fails": "failed",
        "test_is_skipped": "skipped",
        "test_passes": "passed",
        "test_passes_unexpectedly": "failed",
    }
    messages = short(told.messages)
    assert messages["test_fails"] == "AssertionError: so it is"
    assert messages["test_passes_unexpectedly"] == "unexpected success"
    assert messages["test_has_a_part_that_fails"] == "AssertionError: 1 == 1"
    assert (told.running, len(told.order)) == (None, 6)


def test_a_set_up_that_fails_counts_as_its_tests_that_do_not_run(told_of):
    told = told_of(SetUpFails)
    assert short(told.outcomes) == {"test_one": "failed", "test_two": "failed"}
    assert set(told.messages.values()) == {"LookupError: no shelf"}
    assert told.order == []


def test_taking_down_belongs_to_the_test_before_it(told_of):
    told = told_of(TakingDownFails)
    assert short(told.outcomes) == {"test_one": "passed", "test_two": "failed"}
    [message] = told.messages.values()
    assert message.startswith("tearDownClass (")
    assert message.endswith("): LookupError: no bin")
