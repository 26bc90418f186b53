"""What a user of the package may add without touching a file of it: one of each."""

import sys
from pathlib import Path

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

from ci_cache_isolation.isolation import stores
from ci_cache_isolation.isolation.dialects import DIALECTS, dialect_of
from ci_cache_isolation.isolation.dialects.generic import GenericDialect
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores.base import Store
from ci_cache_isolation.judging.judge import judge
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import TIMES, Proof
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.report import counts, providers
from ci_cache_isolation.report.cards import cards
from ci_cache_isolation.report.documents import Document
from ci_cache_isolation.report.files import FILES, write
from ci_cache_isolation.running.json_files import as_type
from ci_cache_isolation.running.outcomes import FAILED
from ci_cache_isolation.running.runners import RUNNERS, runner_named
from ci_cache_isolation.running.runners.django import DjangoRunner
from tests.unit.report.test_markdown import VICTIM
from tests.unit.report.test_merging import document
from tests.worlds import World


class ListCache(BaseCache):
    """A backend that makes no keys: entries are in a list that only it knows."""

    def __init__(self, params):
        super().__init__(params)
        self.entries = []


class ListStore(Store):
    """Sections of such lists: what they held is put aside, and put back."""

    names = ("list",)

    def __init__(self):
        self.caches = []
        self.kept = []

    def adopt(self, alias, cache):
        self.caches.append(cache)
        return True

    def begin(self, number=0, *, is_raw=False):
        self.kept.append(self.suspend(len(self.kept)))

    def end(self):
        self.resume(self.kept.pop())

    def suspend(self, depth):
        return [cache.entries.copy() for cache in self.caches]

    def resume(self, suspended):
        for cache, entries in zip(self.caches, suspended, strict=True):
            cache.entries[:] = entries

    def section_id(self, alias, number):
        return None


def test_a_store(monkeypatch):
    kind = stores.Kind(
        f"{__name__}.ListStore", lambda each: issubclass(each, ListCache)
    )
    monkeypatch.setitem(stores.STORES, "list", kind)
    assert stores.name_for(ListCache) == "list"
    assert stores.possible_names(ListCache) == ("list", "none")
    store, cache = stores.store_class("list")(), ListCache({})
    store.adopt("default", cache)
    with ScopeStack([store]).opened(Scope(ScopeKind.TEST, "test")):
        cache.entries.append(1)
    assert cache.entries == []


class OwnDialect(GenericDialect):
    """A family with something of its own to say about its server."""

    @staticmethod
    def speaks(cache_class):
        return issubclass(cache_class, ListCache)

    def server(self, cache):
        return "lists", id(cache.entries)


def test_a_dialect(monkeypatch):
    monkeypatch.setattr(sys.modules[dialect_of.__module__], "DIALECTS", DIALECTS.copy())
    sys.modules[dialect_of.__module__].DIALECTS.insert(0, OwnDialect)
    assert type(dialect_of(ListCache)) is OwnDialect
    assert stores.name_for(ListCache) == "keyspace"
    assert stores.name_for(LocMemCache) == "memory"


class MakeRunner(DjangoRunner):
    """Tests that are run by ``make test``."""

    name = "make"

    @classmethod
    def fits(cls, folder):
        return (folder / "Makefile").exists()

    def own_command(self, labels):
        return ["make", "test", *labels]


def test_a_runner(monkeypatch, tmp_path):
    monkeypatch.setattr(sys.modules[runner_named.__module__], "RUNNERS", [MakeRunner])
    Path(tmp_path, "Makefile").touch()
    runner = runner_named("auto", tmp_path)
    assert runner.own_command(["app"]) == ["make", "test", "app"]
    assert MakeRunner not in RUNNERS


SLOW = "slow"


def takes_too_long(search, test, tally, history):
    """Say that a test is slow, where nothing but its time is against it."""
    message = search.messages.get((test,), "")
    if tally[FAILED] < TIMES or message != "why":
        return None
    return Judged(test, Verdict(SLOW), Proof(TIMES), (test,), message=message)


def test_a_verdict(monkeypatch):
    monkeypatch.setattr(Verdict, "known", Verdict.known.copy())
    Verdict.add(SLOW, "takes too long, alone too", is_by_others=False)
    rules = [takes_too_long, *sys.modules[judge.__module__].RULES]
    monkeypatch.setattr(sys.modules[judge.__module__], "RULES", rules)
    world = World(["a", "b"], broken={"a"})
    [found] = judge(world.observe(("a", "b")), world.tests, world.run).findings
    assert found.verdict is Verdict(SLOW)
    report = {**document(), "findings": [VICTIM | {"verdict": SLOW}]}
    [card] = cards(report["findings"])
    assert card.tests[0].title == "slow, takes too long, alone too"
    assert counts.answer(report, 1, 0) == ("Judged: 1 slow.", "bad")
    assert as_type(report, Document)["findings"][0]["verdict"] is Verdict(SLOW)


def as_tap(document):
    """Return the findings as the Test Anything Protocol has them."""
    failed = [each["test"] for each in document["failures"]]
    lines = [f"not ok {number} {test}" for number, test in enumerate(failed, 1)]
    return "\n".join([f"1..{len(failed)}", *lines, ""])


def test_a_report(monkeypatch, tmp_path):
    monkeypatch.setitem(FILES, "report.tap", as_tap)
    write(document(), tmp_path)
    assert (tmp_path / "report.tap").read_text().startswith("1..")


def test_annotations_for_a_provider(monkeypatch):
    def tell(document, say):
        say(f"section: {document['command']}")

    monkeypatch.setattr(providers, "PROVIDERS", [*providers.PROVIDERS, tell])
    said = []
    providers.publish(document(), said.append)
    assert said[-1] == "section: stress"
