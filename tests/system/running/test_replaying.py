"""One command for a finding, printed only after it showed the failure."""

import os

import pytest

from ci_cache_isolation.running.order_file import Cache, OrderFile
from ci_cache_isolation.running.replaying import Replayer, Wanted
from ci_cache_isolation.running.runners import runner_named
from tests.commands import copied

KINDS = """
from django.test import SimpleTestCase, TestCase

seen = []

class ATests(TestCase):
    def test_reads(self):
        self.assertEqual(seen, [])

class BTests(SimpleTestCase):
    def test_writes(self):
        seen.append(1)

    def test_twice(self):
        self.assertNotIn(2, seen)
        seen.append(2)
"""


@pytest.fixture
def replaying(tmp_path, monkeypatch):
    return replaying_by("django", tmp_path, monkeypatch)


def replaying_by(runner, tmp_path, monkeypatch):
    """Return the project and what looks for commands in it, with that runner."""
    for name in list(os.environ):
        if name.startswith(("CI_CACHE_ISOLATION", "DJANGO_", "PYTEST_")):
            monkeypatch.delenv(name)
    project = copied("small", tmp_path)
    (project.folder / "cases" / "test_kinds.py").write_text(KINDS)
    monkeypatch.chdir(project.folder)
    return Replaying(project, runner)


class Replaying:
    """A project, and commands looked for in it. Tests are "module.Class.test" here."""

    def __init__(self, project, runner):
        self.project = project
        self.runner = runner
        self.orders = project.folder / "orders"
        self.orders.mkdir()

    def id(self, test):
        if self.runner == "django":
            return f"cases.test_{test}"
        module, *rest = test.split(".")
        return "::".join([f"cases/test_{module}.py", *rest])

    def wanted(self, *order):
        ids = tuple(map(self.id, order))
        return Wanted(ids[-1], ids)

    def commands(self, *wanted, cache=Cache.SHARED):
        """Return what was found for each; all of them are looked for at once."""
        runner = runner_named(self.runner, self.project.folder)
        replayer = Replayer(runner, (), self.orders, cache)
        found = replayer.commands(wanted)
        assert not replayer.is_over
        return [found.get(each) for each in wanted]

    def fails(self, command, test):
        """Run a command in a fresh process; say whether the test is what fails."""
        done = self.project.typed(command)
        printed = done.out + done.err
        last = self.id(test).rpartition("." if self.runner == "django" else "::")[2]
        return done.code == 1 and last in printed


def test_the_users_own_command_is_enough_where_it_shows_the_failure(replaying):
    victim = "leaking.CacheTests.test_a_reads"
    cached = replaying.wanted("leaking.CacheTests.test_b_writes", victim)
    set_up = replaying.wanted("set_up.BTests.test_two", "set_up.ATests.test_one")
    of_cache, of_set_up = replaying.commands(cached, set_up)
    own = "manage.py test" if replaying.runner == "django" else "-m pytest"
    for command, each in [(of_cache, cached), (of_set_up, set_up)]:
        start = f"CI_CACHE_ISOLATION_SCOPE=process python {own} "
        assert command.startswith(start)
        assert command.endswith(" ".join(each.order))
    assert replaying.fails(of_cache, victim)
    assert replaying.fails(of_set_up, "set_up.ATests")
    assert not list(replaying.orders.glob("*.json"))


def test_a_command_isolates_where_the_shell_says_off(replaying, monkeypatch):
    runner = "ci_cache_isolation.runner.IsolatedRunner"
    replaying.project.add_settings(f'TEST_RUNNER = "{runner}"')
    monkeypatch.setenv("CI_CACHE_ISOLATION", "off")
    victim = "leaking.CacheTests.test_a_reads"
    [command] = replaying.commands(
        replaying.wanted("leaking.CacheTests.test_b_writes", victim)
    )
    start = "CI_CACHE_ISOLATION=on CI_CACHE_ISOLATION_SCOPE=process python "
    assert command.startswith(start)
    assert replaying.fails(command, victim)
    cured = command.replace("SCOPE=process", "SCOPE=test")
    assert replaying.project.typed(cured).code == 0


def test_what_the_own_command_can_not_show_is_a_file_to_replay(replaying):
    sorted_ = replaying.wanted("kinds.BTests.test_writes", "kinds.ATests.test_reads")
    twice = replaying.wanted("kinds.BTests.test_twice", "kinds.BTests.test_twice")
    for command, each in zip(
        replaying.commands(sorted_, twice, cache=Cache.ISOLATED),
        [sorted_, twice],
        strict=True,
    ):
        start, _, file = command.partition(" replay ")
        assert start == "cache-isolation"
        order = OrderFile.read(replaying.project.folder / file)
        assert (order.order, order.is_exact) == (each.order, True)
        done = replaying.project.typed(command)
        assert done.code == 1
        assert f"failed: {each.test}\n" in done.out


def test_what_does_not_fail_again_gets_no_command(replaying):
    [sound, other] = replaying.commands(
        replaying.wanted("leaking.CacheTests.test_a_reads"),
        replaying.wanted(
            "leaking.CacheTests.test_b_writes", "leaking.ModuleTests.test_a_reads"
        ),
    )
    assert (sound, other) == (None, None)
    assert not list(replaying.orders.glob("*.json"))


def test_nothing_is_begun_when_the_time_is_over(replaying):
    runner = runner_named(replaying.runner, replaying.project.folder)
    replayer = Replayer(runner, (), replaying.orders, Cache.SHARED)
    leak = "leaking.CacheTests.test_b_writes", "leaking.CacheTests.test_a_reads"
    assert replayer.commands([replaying.wanted(*leak)], 0.0) == {}
    assert replayer.is_over
