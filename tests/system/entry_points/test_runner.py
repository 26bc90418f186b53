"""The entry points for ``manage.py test``."""

import multiprocessing

import django
import pytest

TESTS = """
    import unittest
    from django.core.cache import cache, caches

    class Tests(unittest.TestCase):
        def test_one(self):
            self.assertTrue(cache.add("key", 1))

        test_two = test_one

    class OtherTests(Tests):
        pass
"""
METHODS = [
    method
    for method in multiprocessing.get_all_start_methods()
    # Django 5.2 runs no workers under forkserver.
    if method != "forkserver" or django.VERSION >= (6,)
]
NOT_A_SWITCH = (
    "CommandError: environment CI_CACHE_ISOLATION is 'perhaps', which is neither on "
    "nor off. Isolation must not be guessed: what you test would depend on it. Set it "
    "to 'on' or 'off', or leave it out.\n"
)
CUSTOM = """
    import os, unittest
    from django.test.runner import DiscoverRunner, ParallelTestSuite
    from ci_cache_isolation.runner import IsolationMixin

    def say(*words):
        # In one go: other processes speak too.
        os.write(1, " ".join([*words, "\\n"]).encode())

    class CustomSuite(unittest.TestSuite):
        def run(self, result, debug=False):
            say("custom suite")
            return super().run(result, debug)

    def set_up_process(*args):
        say("custom set-up", *args)

    class CustomParallelSuite(ParallelTestSuite):
        process_setup = set_up_process
        process_setup_args = ("one", "two")

    class CustomRunner(IsolationMixin, DiscoverRunner):
        test_suite = CustomSuite
        parallel_test_suite = CustomParallelSuite
"""


@pytest.fixture
def isolated_project(project):
    project.write(
        "settings", 'TEST_RUNNER = "ci_cache_isolation.runner.IsolatedRunner"\n'
    )
    project.write("tests", TESTS)
    return project


@pytest.fixture
def custom_project(project):
    project.write("settings", 'TEST_RUNNER = "custom.CustomRunner"\n')
    project.write("custom", CUSTOM)
    project.write("tests", TESTS)
    project.write(
        "manage",
        """
        import multiprocessing, os, sys
        from django.core.management import execute_from_command_line

        if __name__ == "__main__":
            multiprocessing.set_start_method(os.environ["START_METHOD"])
            execute_from_command_line(sys.argv)
        """,
    )
    return project


@pytest.mark.fresh_interpreter("nothing is imported before settings name it")
def test_the_runner_isolates_and_says_so(isolated_project):
    done = isolated_project.manage("test")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "Cache isolation: on (default)"


def test_the_runner_can_be_told_off_and_says_so(isolated_project):
    leaking = isolated_project.manage("test", CI_CACHE_ISOLATION="off")
    assert leaking.returncode == 1
    assert "FAILED (failures=3)" in leaking.stderr
    assert leaking.stdout.splitlines()[0] == (
        "Cache isolation: off (environment CI_CACHE_ISOLATION)"
    )


def test_the_runner_can_be_told_off_by_settings(isolated_project):
    isolated_project.write("settings", 'CACHE_ISOLATION = {"enabled": "no"}\n')
    leaking = isolated_project.manage("test")
    assert leaking.returncode == 1
    assert "FAILED (failures=3)" in leaking.stderr
    assert leaking.stdout.splitlines()[0] == (
        "Cache isolation: off (settings.CACHE_ISOLATION['enabled'])"
    )


def test_the_runner_says_nothing_where_it_was_told_to_be_quiet(isolated_project):
    done = isolated_project.manage("test", "--verbosity=0")
    assert done.returncode == 0, done.stderr
    assert "isolation" not in done.stdout


def test_a_word_that_means_nothing_is_a_command_error(isolated_project):
    done = isolated_project.manage("test", CI_CACHE_ISOLATION="perhaps")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", NOT_A_SWITCH)


@pytest.mark.parametrize("argument", ["--reverse", "--parallel=2"])
def test_the_runner_isolates_in_any_order_and_in_parallel(isolated_project, argument):
    done = isolated_project.manage("test", argument)
    assert done.returncode == 0, done.stderr
    leaking = isolated_project.manage("test", argument, CI_CACHE_ISOLATION="off")
    assert leaking.returncode == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_custom_runner_keeps_its_suites_and_isolates(custom_project, method):
    parallel = ("manage.py", "test", "--parallel=2")
    done = custom_project.run(*parallel, START_METHOD=method)
    assert done.returncode == 0, done.stderr
    said = [line.strip() for line in done.stdout.splitlines()]
    assert "Cache isolation: on (default)" in said
    assert said.count("custom suite") == 2
    # Django calls it where nothing is inherited.
    calls = 0 if method == "fork" else 2
    assert said.count("custom set-up one two") == calls
    leaking = custom_project.run(
        *parallel, START_METHOD=method, CI_CACHE_ISOLATION="off"
    )
    assert leaking.returncode == 1
    assert leaking.stdout.count("custom set-up one two") == calls


def test_a_custom_suite_stays_and_a_plain_one_is_replaced(project):
    project.write("custom", CUSTOM)
    said = project.python(
        """
        import django
        django.setup()
        from django.test.runner import ParallelTestSuite
        from ci_cache_isolation.runner import IsolatedRunner, IsolatedTestSuite
        from custom import CustomParallelSuite, CustomRunner, CustomSuite

        custom, plain = CustomRunner(verbosity=0), IsolatedRunner(verbosity=0)
        print(custom.test_suite is CustomSuite)
        print(issubclass(custom.parallel_test_suite, CustomParallelSuite))
        print(plain.test_suite is IsolatedTestSuite)
        print(issubclass(plain.parallel_test_suite, ParallelTestSuite))
        # The classes of others are not touched.
        print(CustomParallelSuite.process_setup_args)
        print(ParallelTestSuite.process_setup_args)
        """
    )
    assert said == "True\nTrue\nTrue\nTrue\n('one', 'two')\n()\n"


def test_a_suite_alone_switches_isolation_on(project):
    project.write("tests", TESTS)
    source = """
        import unittest
        from ci_cache_isolation.runner import IsolatedTestSuite

        loader = unittest.TestLoader()
        loader.suiteClass = IsolatedTestSuite
        result = unittest.TestResult()
        loader.loadTestsFromName("tests").run(result)
        print(result.testsRun, len(result.failures))
    """
    assert project.python(source) == "4 0\n"
    assert project.python(source, CI_CACHE_ISOLATION="off") == "4 3\n"
