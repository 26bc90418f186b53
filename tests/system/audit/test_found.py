"""``cache-isolation audit`` finds what is planted, and proves it by a command."""

import fnmatch
import re
import shlex
import time

import pytest

from tests.audits import (
    CALLERS,
    assert_is_as_planted,
    audited,
    conflicting,
    found_in,
    planted,
    runners,
)
from tests.commands import copied
from tests.projects.corpus import truth

# One worker makes the audit of a runner, for all that read it.
read_by = pytest.mark.parametrize(
    "runner",
    [
        pytest.param(each, marks=pytest.mark.xdist_group(f"audit-{each}"))
        for each in truth.RUNNERS
    ],
)
# Each kind of verdict, of scope and of carrier once, over both runners.
LABELS = {
    "django": [
        "shop.test_checkout.GiftTests",
        "shop.test_checkout.RestockingTests",
        "shop.test_classes.ClearedTests.test_counter_is_staffed",
        "shop.test_classes.ClearedTests.test_other_branch_closes",
        "shop.test_memory",
        "shop.test_rates.DraftTests",
    ],
    "pytest": [
        "shop/test_functions_before.py",
        *(
            f"shop/test_functions_leaks.py::test_{name}"
            for name in (
                "guard_is_there",
                "guard_leaves",
                "heating_is_tested",
                "ledger_is_empty",
                "ledger_is_written",
                "music_is_chosen",
                "music_is_not_chosen",
                "scales_are_used",
                "scales_show_nothing",
                "stamps_are_bought",
                "stamps_are_used",
            )
        ),
        "shop/test_functions_memory.py",
        "shop/test_memory.py::SiteTests",
    ],
}


@pytest.fixture(scope="module")
def audits(tmp_path_factory):
    """Return the audit of a runner's labels, made when it is first asked for."""
    made = {}

    def audit_of(runner):
        if runner not in made:
            project = copied("corpus", tmp_path_factory.mktemp(runner))
            made[runner] = audited(project, "--runner", runner, *LABELS[runner])
        return made[runner]

    return audit_of


@read_by
def test_what_is_planted_is_found_and_nothing_else(audits, runner):
    assert_is_as_planted(audits(runner).report, planted(runner, LABELS[runner]))


@pytest.mark.xdist_group("audit-django")
def test_a_printed_command_shows_the_failure_in_a_fresh_shell(audits):
    show_in_a_fresh_shell(audits("django"))


def show_in_a_fresh_shell(audit):
    """Have a printed command show its failure, and isolation cure it."""
    replays = [
        each
        for each in audit.report["findings"]
        if each["replay"] and each["state"]["kind"] != "memoised"
    ]
    assert replays
    finding = replays[0]
    assert finding["replay"] in audit.out
    variable, *command = shlex.split(finding["replay"])
    assert (variable, command[0]) == ("CI_CACHE_ISOLATION_SCOPE=process", "python")
    # No process that is prepared has options of Python's own: this one is fresh.
    fresh = ["-B", *command[1:]]
    shown = audit.project.python(*fresh, CI_CACHE_ISOLATION_SCOPE="process")
    assert shown.code == 1, shown.out + shown.err
    assert finding["test"].rpartition("::")[2] in shown.out + shown.err
    cured = audit.project.python(*command[1:], CI_CACHE_ISOLATION_SCOPE="test")
    assert bool(cured.code) == (finding["verdict"] == "brittle"), cured.err


def test_a_command_is_printed_also_where_settings_and_workers_are_options(corpus):
    print_where_settings_and_workers_are_options(corpus, "django")


def print_where_settings_and_workers_are_options(corpus, runner):
    """Audit a run whose settings are an option; the printed command has it too."""
    (corpus.folder / "corpus" / "settings.py").rename(corpus.folder / "ci_settings.py")
    (corpus.folder / "pytest.ini").write_text(
        "[pytest]\naddopts = -p no:cacheprovider -p no:randomly -n 2"
    )
    option = {"django": "--settings=ci_settings", "pytest": "--ds=ci_settings"}[runner]
    label = {"django": "shop.test_bulk.PrefixTests", "pytest": "shop/test_bulk.py"}
    only = {"django": [], "pytest": ["-k", "PrefixTests"]}[runner]
    audit = audited(corpus, "--runner", runner, "--", option, *only, label[runner])
    [finding] = audit.report["findings"]
    assert option in shlex.split(finding["replay"])


MODULE = r"shop[./]\w+"


def is_beside(test, other):
    """Return whether two tests are in one module, by the ids of either runner."""
    return re.match(MODULE, test)[0] == re.match(MODULE, other)[0]


@runners
def test_each_planted_leak_is_a_conflict_of_one_ordinary_run(
    corpus, runner, redis_server, memcached_server, monkeypatch
):
    for kind, server in ("redis", redis_server), ("memcached", memcached_server):
        monkeypatch.setenv(truth.SERVERS[kind], server.location)
    report = audited(corpus, "--no-confirm", "--runner", runner, code=0).report
    assert report["findings"] == []
    assert {"alias", "key", "version", "left_by", "seen_by"} <= set(
        report["conflicts"][0]
    )
    left_by = {
        each["test"] for conflict in report["conflicts"] for each in conflict["left_by"]
    }
    expected = planted(runner)
    assert len(expected) > 80
    for (victim, group), leak in expected.items():
        for polluter in group:
            assert leak.key or leak.function
            leaving = [polluter]
            if leak.name.startswith("left-by-"):
                # Of a class or a module that leaves something one test is named.
                leaving = [each for each in left_by if is_beside(each, polluter)]
            keys = conflicting(report, leaving, [victim])
            assert fnmatch.filter(keys, leak.key or f"*{leak.function}*"), leak.name
    for each in truth.harmless(runner):
        if each.name in {"redis-found-is-its-own", "redis-search-elsewhere"}:
            assert not conflicting(report, each.left_by, each.seen_by)


@runners
def test_without_confirmation_a_conflict_fails_only_where_that_is_asked(corpus, runner):
    label = {"django": "shop.test_bulk", "pytest": "shop/test_bulk.py"}[runner]
    audit = audited(
        corpus, "--no-confirm", "--fail-on=possible", "--runner", runner, label
    )
    assert "read by" in audit.out


SERVED = {
    "redis": [
        "shop.test_redis.DeletedPatternTests",
        "shop.test_redis.IteratedPatternTests",
        "shop.test_redis.SweptPatternTests",
    ],
    "memcached": ["shop.test_memcached"],
}


def test_what_is_planted_on_servers_is_found_and_nothing_else(
    corpus, redis_server, memcached_server, monkeypatch
):
    for kind, server in ("redis", redis_server), ("memcached", memcached_server):
        monkeypatch.setenv(truth.SERVERS[kind], server.location)
    labels = [*SERVED["redis"], *SERVED["memcached"]]
    report = audited(corpus, "--runner", "django", *labels).report
    expected = planted("django", labels)
    assert {leak.alias for leak in expected.values()} == {"redis", "memcached"}
    assert_is_as_planted(report, expected)
    for each in truth.harmless("django"):
        if each.name in {"redis-found-is-its-own", "redis-search-elsewhere"}:
            assert not conflicting(report, each.left_by, each.seen_by)


def test_a_function_that_many_tests_call_is_put_to_the_test_with_all_of_them(corpus):
    minding = (3, 12)
    (corpus.folder / "shop" / "test_callers.py").write_text(
        f"MINDING = {minding}\n{CALLERS}"
    )
    audit = audited(corpus, "--runner", "django", "shop.test_callers")
    test = "shop.test_callers.CallerTests.test_"
    assert found_in(audit.report).keys() == {
        (f"{test}{number:02}", frozenset({f"{test}07_in_a_mall"})) for number in minding
    }
    for finding in audit.report["findings"]:
        assert finding["state"]["function"] == "shop.test_callers.shop_name"
        assert finding["isolation_cures"] is False
    assert (
        "Leak 1 of 1: shop.test_callers.shop_name() remembers (functools.lru_cache, "
        "shop/test_callers.py:7)"
    ) in audit.out
    assert "Isolation does not cure any of them: functions remember" in audit.out
    assert audit.report["remarks"] == []


def test_with_memoised_functions_reset_isolation_cures_what_they_remember(corpus):
    labels = [
        f"shop.test_memory.NameTests.test_name_{name}"
        for name in ("is_the_corner_shop", "of_the_mall_is_used")
    ]
    reset = {"CI_CACHE_ISOLATION_RESET_MEMOISED": "on"}
    began = time.monotonic()
    report = audited(corpus, "--runner", "django", *labels, **reset).report
    [finding] = report["findings"]
    assert 0 < finding["cost"]["seconds"] < time.monotonic() - began
    proof = {"alone": "0/5", "after": "5/5", "isolated": "0/5"}
    assert finding["proof"] == proof
    assert finding["isolation_cures"] is True
    assert finding["state"]["function"] == "shop.remembering.name"


FROZEN = """\
import datetime

import freezegun
import time_machine
from django.core.cache import cache
from django.test import SimpleTestCase


@{stopped}(datetime.datetime({year}, 3, 4, tzinfo=datetime.UTC){options})
class FrozenTests(SimpleTestCase):
    def test_a_takes_the_token(self):
        self.assertTrue(cache.add("token", 1, 3600))

    def test_b_takes_the_token(self):
        self.assertTrue(cache.add("token", 1, 3600))
"""
FREEZE, TRAVEL = "freezegun.freeze_time", "time_machine.travel"
STOPPED = {FREEZE: "", TRAVEL: ", tick=False"}


# To start and stop freezegun in each of many runs takes seconds; it is in
# tests/exhaustive.
def test_what_lives_by_a_clock_that_is_stopped_is_met(corpus):
    met_where_the_clock_is_stopped(corpus, TRAVEL, 2019)


def met_where_the_clock_is_stopped(corpus, stopped, year):
    source = FROZEN.format(stopped=stopped, options=STOPPED[stopped], year=year)
    (corpus.folder / "shop" / "test_frozen.py").write_text(source)
    audit = audited(corpus, "--runner", "django", "shop.test_frozen")
    found = {
        each["test"].rpartition("_test_")[2].rpartition(".test_")[2]: each["state"][
            "key"
        ]
        for each in audit.report["findings"]
    }
    assert found == {"a_takes_the_token": "token", "b_takes_the_token": "token"}


def test_stress_names_what_lives_by_a_clock_that_is_stopped(corpus):
    stressed_where_the_clock_is_stopped(corpus, TRAVEL)


def stressed_where_the_clock_is_stopped(corpus, stopped):
    source = FROZEN.format(stopped=stopped, options=STOPPED[stopped], year=2019)
    (corpus.folder / "shop" / "test_frozen.py").write_text(source)
    options = ("--cache", "shared", "--orders", "0", "--split", "0")
    done = corpus.stress("--runner", "django", *options, "shop.test_frozen")
    assert done.code == 1, done.out + done.err
    states = [each["state"] for each in corpus.report()["findings"]]
    assert {state and state["key"] for state in states} == {"token"}


TENANTS = """\
import os
from contextlib import contextmanager

from django.core.cache import cache
from django.test import SimpleTestCase

from shop.tenants import acting_for


class TenantTests(SimpleTestCase):
    def test_a_sells_for_acme(self):
        with acting_for("emca"):
            cache.set("motd", "Hello")
        with acting_for("acme"):
            cache.set("cart", 1)

    def test_b_sells_for_emca(self):
        with acting_for("emca"):
            self.assertIsNone(cache.get("cart"))
            cache.set("cart", 2)

    def test_c_counts_for_acme(self):
        with acting_for("emca"):
            cache.get("motd")
            cache.set("cart", 2)
        with acting_for("acme"):
            self.assertIsNone(cache.get("cart"))
"""
KEY_FUNCTION = """\
from contextlib import contextmanager

current = ["nobody"]


@contextmanager
def acting_for(tenant):
    current.append(tenant)
    yield
    current.pop()


def make_key(key, prefix, version):
    return f"{current[-1]}:{prefix}:{version}:{key}"
"""


def test_what_a_key_function_tells_apart_is_told_apart(corpus):
    tell_apart_by_a_key_function(corpus, "django")


def tell_apart_by_a_key_function(corpus, runner):
    """Audit tenants who share names of keys, and whose function tells them apart."""
    (corpus.folder / "shop" / "tenants.py").write_text(KEY_FUNCTION)
    (corpus.folder / "shop" / "test_tenants.py").write_text(TENANTS)
    with (corpus.folder / "corpus" / "settings.py").open("a") as settings:
        settings.write('CACHES["default"]["KEY_FUNCTION"] = "shop.tenants.make_key"\n')
    label = {"django": "shop.test_tenants", "pytest": "shop/test_tenants.py"}
    audit = audited(corpus, "--runner", runner, label[runner])
    found = {
        (finding["test"][-8:], group[0][-8:]): finding["state"]
        for finding in audit.report["findings"]
        for group in finding["after"]
    }
    assert found.keys() == {("for_acme", "for_acme"), ("for_emca", "for_acme")}
    state = found["for_acme", "for_acme"]
    assert (state["key"], state["made"]) == ("cart", "acme::1:cart")
    assert "'cart' (key 'acme::1:cart') in cache 'default'" in audit.out
    assert (
        "acme::1:cart"
        in (audit.project.folder / ".cache-isolation/audit/summary.md").read_text()
    )


ASYNC = """\
import asyncio

from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.test import SimpleTestCase


class AsyncTests(SimpleTestCase):
    async def test_a_awaits(self):
        await cache.aset("awaited", 1)

    async def test_b_gathers(self):
        await asyncio.gather(cache.aset("gathered", 1), cache.aset("too", 1))

    async def test_c_goes_to_a_thread(self):
        await sync_to_async(cache.set)("threaded", 1)

    async def test_d_looks(self):
        for key in ("awaited", "gathered", "threaded"):
            await cache.aget(key)
"""


@runners
def test_sites_in_asynchronous_tests_are_in_the_test(corpus, runner):
    (corpus.folder / "shop" / "test_async.py").write_text(ASYNC)
    label = {"django": "shop.test_async", "pytest": "shop/test_async.py"}
    audit = audited(corpus, "--runner", runner, "--no-confirm", label[runner], code=0)
    sites = {
        each["key"]: (each["left_by"][0]["at"], each["seen_by"][0]["at"])
        for each in audit.report["conflicts"]
    }
    # Where it was called, or else where the test begins.
    assert sites == {
        "awaited": ("shop/test_async.py:10", "shop/test_async.py:20"),
        "gathered": ("shop/test_async.py:12", "shop/test_async.py:20"),
        "threaded": ("shop/test_async.py:15", "shop/test_async.py:20"),
    }
