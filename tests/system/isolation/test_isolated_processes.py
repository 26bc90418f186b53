"""Mixin and decorators under a runner: alone, and with all entry points at once."""

import pytest

MEETING = """
    import unittest
    from django.core.cache import cache
    from ci_cache_isolation import IsolatedCacheMixin, isolated
    from ci_cache_isolation.isolation.switch import STACK

    @isolated
    class Tests(IsolatedCacheMixin, unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            print("number", STACK.number)

        def setUp(self):
            self.number = STACK.number

        @isolated
        def test_one(self):
            print("number", STACK.number)
            self.assertEqual(self.number, STACK.number)
            self.assertTrue(cache.add("key", 1))

        test_two = test_one

    class OtherTests(Tests):
        pass
"""
RUN = """
    import sys, unittest
    from ci_cache_isolation.isolation.switch import STACK
    suite = unittest.defaultTestLoader.loadTestsFromName("tests")
    result = unittest.TextTestRunner().run(suite)
    print("left open:", len(STACK.path))
    sys.exit(not result.wasSuccessful())
"""


def numbers(done):
    """Return the numbers of sections that a run has printed."""
    words = [line.split()[-2:] for line in done.stdout.splitlines()]
    return [int(word[1]) for word in words if word and word[0].endswith("number")]


def test_the_mixin_alone_isolates_its_class_under_plain_unittest(project):
    project.write(
        "tests",
        """
        import unittest
        from django.core.cache import cache
        from ci_cache_isolation import IsolatedCacheMixin

        class Tests(IsolatedCacheMixin, unittest.TestCase):
            def test_one(self):
                self.assertTrue(cache.add("key", 1))

            test_two = test_three = test_one

        class OtherTests(Tests):
            pass
        """,
    )
    project.write("run", RUN)
    done = project.run("run.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "left open: 0\n"
    leaking = project.run("run.py", CI_CACHE_ISOLATION="off")
    assert leaking.returncode == 1
    assert "FAILED (failures=5)" in leaking.stderr


def test_mixin_and_decorators_together_give_one_section(project):
    project.write("tests", MEETING)
    project.write("run", RUN)
    done = project.run("run.py")
    assert done.returncode == 0, done.stderr
    # Class, test, test; class, test, test. Nobody knew of the module in time.
    assert numbers(done) == [1, 2, 3, 4, 5, 6]


@pytest.mark.fresh_interpreter("all entry points at once, as a user starts them")
def test_runner_settings_mixin_and_decorators_together_give_one_section(project):
    project.write("tests", MEETING)
    project.write(
        "settings",
        """
        from ci_cache_isolation.settings import isolate
        TEST_RUNNER = "ci_cache_isolation.runner.IsolatedRunner"
        CACHES = isolate(
            {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        )
        """,
    )
    done = project.manage("test")
    assert done.returncode == 0, done.stderr
    # The module comes before the class.
    assert numbers(done) == [2, 3, 4, 5, 6, 7]


@pytest.mark.fresh_interpreter("the plugin is found and loaded by pytest itself")
def test_plugin_mixin_and_decorators_together_give_one_section(project):
    project.write("test_meeting", MEETING)
    done = project.pytest("-s", "-q")
    assert done.returncode == 0, done.stdout
    # The session comes before the module.
    assert numbers(done) == [3, 4, 5, 6, 7, 8]
