"""What a terminal says of a report: how many of what there were, and what to do."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import Proof
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.report.document import stress_document
from ci_cache_isolation.report.progress import ProgressTerminal
from ci_cache_isolation.report.terminal import show
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.stress.plan import Kind, Shard, Step
from ci_cache_isolation.stress.results import Run, StressResult
from tests.unit.report.test_markdown import CONFLICT, VICTIM
from tests.unit.report.test_page import AUDIT, CLEAN_AUDIT


def shown(tests, findings=()):
    """Return what is said of one run in which all of these failed."""
    step = Step(0, Kind.FORWARD)
    run = Run(step, Cache.SHARED, End.FINISHED, 0.1, tuple(tests), failed=tuple(tests))
    result = StressResult("django", Cache.SHARED, 1, Shard(1, 1), runs=[run])
    result.findings = {each.test: Finding(each) for each in findings}
    console = Console(file=io.StringIO(), width=1000)
    terminal = ProgressTerminal(console)
    terminal.begin_stress("django", Cache.SHARED, 1, len(tests))
    show(console, stress_document(result), Path("report.json"))
    return console.file.getvalue()


def victim(test, *, cured):
    proof = Proof(alone=0, after=5, isolated=0 if cured else 5)
    return Judged(
        test,
        Verdict.VICTIM,
        proof,
        ("polluter", test),
        (("polluter",),),
        isolation_cures=cured,
    )


def test_one_is_in_the_singular():
    text = shown(["a"])
    assert "up to 1 order at a time" in text
    assert "1 test failed and was not judged:" in text
    assert "failed in 1 of 1 run: forward" in text


def test_two_are_in_the_plural():
    text = shown(["a", "b"])
    assert "up to 2 orders at a time" in text
    assert "2 tests failed and were not judged:" in text


@pytest.mark.parametrize(
    ("cured", "said"),
    [
        ([True], "Isolation cures it: with it the test passes in the same order."),
        ([True, False], "cures 1 of them: with it the test passes in the same order."),
        ([True, True], "cures all of them: with it they pass in the same order."),
        (
            [False],
            "No cache carries what decides about it, and nothing that can be put",
        ),
        (
            [False, False],
            "No cache carries what decides about all of them, and nothing",
        ),
        ([True, False], "No cache carries what decides about 1 of them, and nothing"),
    ],
)
def test_as_many_as_isolation_cures(cured, said):
    findings = [victim(f"t{at}", cured=each) for at, each in enumerate(cured)]
    assert said in shown([each.test for each in findings], findings)


def printed(document):
    console = Console(file=io.StringIO(), width=1000)
    show(console, document, Path("audit"))
    return console.file.getvalue()


COST = {"runs": 17, "seconds": 0.7}


def test_an_audit_is_said_from_the_leaks_to_what_helps():
    document = AUDIT | {"findings": [VICTIM], "cost": COST}
    assert printed(document).splitlines() == [
        "",
        "Leak 1 of 1: 'offer:honey' in cache 'default'",
        "  shop.tests.B.test_reads: victim, passes alone and fails after others",
        "  fails after shop.tests.A.test_writes",
        "  stored at shop/offers.py:13",
        "  read at shop/offers.py:21",
        "  failed alone 0/5, after 5/5, isolated 0/5: isolation cures it",
        "  AssertionError: 30 != 0",
        "  hidden when shop.tests.C.test_clears runs between",
        "  See it fail, as it just did in a cold process:",
        f"    {VICTIM['replay']}",
        "",
        "1 test failed in the audit's own run, with isolation, and was not judged:",
        "  shop.tests.E.test_needs_isolation_off",
        (
            "What passes with CI_CACHE_ISOLATION=off needs what another test leaves "
            "in a cache, or looks past the cache API (docs/limits.md)."
        ),
        "",
        (
            "4 tests in 1.2 s: 1 conflict, where one test leaves what another reads. "
            "17 short runs in 0.7 s put that to the test."
        ),
        "1 leak: the outcome of 1 test depends on it.",
        "Isolation cures it: with it the test passes in the same order.",
        (
            "Report: audit/report.html, and report.json, junit.xml and summary.md "
            "beside it"
        ),
    ]


UNTRIED = [CONFLICT | {"result": "untested", "key": key} for key in ("a", "b")]
LISTED = (
    "  'a' in cache 'default'\n"
    "    left by shop.tests.A.test_writes at shop/offers.py:13\n"
    "    read by shop.tests.B.test_reads at shop/offers.py:21\n"
)


@pytest.mark.parametrize(
    "how",
    [
        {"cost": {"runs": 0, "seconds": 0.0}},
        {"cost": COST, "interrupted": True},
        {"cost": COST, "failure": "No fork."},
    ],
)
def test_what_was_not_put_to_the_test_is_listed_where_the_proof_was_cut_off(how):
    rows = [each | {"pattern": each["key"]} for each in UNTRIED]
    document = CLEAN_AUDIT | {"conflicts": rows, "complete": False, "cost": COST}
    assert LISTED not in printed(document)
    text = printed(document | how)
    assert LISTED in text
    assert "2 conflicts were not put to the test" in text
    assert "No leak was proved, but not all was put to the test." in text


def test_markup_in_ids_and_keys_is_text():
    state = VICTIM["state"] | {"key": "[red]k[/]", "written_at": "[link=x]a:1"}
    document = AUDIT | {"findings": [VICTIM | {"test": "[bold]t", "state": state}]}
    text = printed(document)
    for each in ("'[red]k[/]'", "  [bold]t: victim", "stored at [link=x]a:1"):
        assert each in text


def test_a_long_card_counts_what_it_leaves_out():
    many = [VICTIM | {"test": f"t{at}", "message": f"{at}"} for at in range(12)]
    text = printed(AUDIT | {"findings": many})
    assert "  t9: victim" in text
    assert "  and 2 more, see the report\n" in text
