"""Reports as Markdown: what stands there, what is cut, what hostile names can do."""

import copy
import html
import re

import pytest

from ci_cache_isolation.report.markdown import code, summary

VICTIM = {
    "test": "shop.tests.B.test_reads",
    "verdict": "victim",
    "after": [["shop.tests.A.test_writes"]],
    "cleaners": ["shop.tests.C.test_clears"],
    "state": {
        "kind": "cache",
        "alias": "default",
        "key": "offer:honey",
        "version": "1",
        "how": "stored",
        "written_at": "shop/offers.py:13",
        "read_at": "shop/offers.py:21",
    },
    "proof": {"alone": "0/5", "after": "5/5", "isolated": "0/5"},
    "message": "AssertionError: 30 != 0",
    "isolation_cures": True,
    "replay": "python manage.py test shop.tests.A.test_writes shop.tests.B.test_reads",
    "cost": {"runs": 20, "seconds": 0.5},
}
CHANCE = VICTIM | {
    "test": "shop.tests.D.test_by_chance",
    "verdict": "non-deterministic",
    "after": [],
    "cleaners": [],
    "state": None,
    "proof": {"alone": "2/5", "after": None, "isolated": None, "same_order": "3/5"},
    "isolation_cures": None,
    "replay": None,
}
CONFLICT = {
    "alias": "default",
    "key": "offer:honey",
    "pattern": "offer:honey",
    "version": "1",
    "left_by": [{"test": "shop.tests.A.test_writes", "at": "shop/offers.py:13"}],
    "seen_by": [{"test": "shop.tests.B.test_reads", "at": "shop/offers.py:21"}],
}
RUN = {"cache": "shared", "seconds": 1.0, "failed": [], "end": "finished"}
STRESS = {
    "schema": 1,
    "command": "stress",
    "suite": {"runner": "django", "tests": 4, "settings": "shop.settings"},
    "seed": 7,
    "shard": "1/1",
    "interrupted": False,
    "remarks": [],
    "runs": [RUN] * 12,
    "pairs": {"total": 12, "covered": 10, "adjacent": 6, "unreachable": 2},
    "bound": {"clean_runs": 12, "confidence": 0.95, "failure_rate_below": 0.2209},
    "conflicts": [CONFLICT],
    "findings": [CHANCE, VICTIM],
    "failures": [
        {"test": each["test"], "flaky": True, "failed_in": [1], "passed_in": [0]}
        for each in (CHANCE, VICTIM)
    ],
}
HOSTILE = (
    "</code></details><script>alert(1)</script>`` ` | ``` \n# title\n"
    "![x](//evil) \x1b[2J\x1b]8;;http://evil\x07 \u202e @somebody #1 <!--"
)


def with_state(finding, **state):
    return finding | {"state": finding["state"] | state}


def with_findings(*findings, failures=()):
    changed = {"findings": list(findings), "failures": list(failures)}
    return copy.deepcopy(STRESS) | changed


def test_a_card_says_who_which_key_where_and_how_to_see_it():
    text = summary(STRESS)
    assert "Stress with django, caches shared, seed 7." in text
    assert (
        "4 tests, 12 runs. 10 of 10 ordered pairs of tests were run in that order, 6 "
        "of them as neighbours; 2 more never occur in one process under django." in text
    )
    assert "Judged: 1 victim, 1 non-deterministic." in text
    assert "Isolation cures it: with it the test passes in the same order." in text
    card, chance = text.split("### ")[1:]
    assert card.startswith("1. victim: `'offer:honey' in cache 'default'`\n")
    for line in (
        "- `shop.tests.B.test_reads`: victim, passes alone and fails after others",
        "- fails after `shop.tests.A.test_writes`",
        "- stored at `shop/offers.py:13`",
        "- read at `shop/offers.py:21`",
        "- failed alone 0/5, after 5/5, isolated 0/5: isolation cures it",
        "- `AssertionError: 30 != 0`",
        "- hidden when `shop.tests.C.test_clears` runs between",
        f"```sh\n{VICTIM['replay']}\n```",
    ):
        assert line in card
    assert chance.startswith("2. non-deterministic: `shop.tests.D.test_by_chance`\n"), (
        "what is less certain comes later"
    )
    assert "failed alone 2/5; in the same order again 3 of 5 times" in chance


def test_conflicts_are_below_the_fold():
    above, fold = summary(STRESS).split("<details>")
    assert "left by" not in above
    assert (
        "- `'offer:honey' in cache 'default'`; left by `shop.tests.A.test_writes at "
        "shop/offers.py:13`; read by `shop.tests.B.test_reads at "
        "shop/offers.py:21`\n" in fold
    )
    assert fold.endswith("\n</details>\n")


def test_findings_of_one_cause_share_a_card():
    second = with_state(VICTIM, key="offer:tea") | {"test": "shop.tests.B.test_other"}
    elsewhere = with_state(VICTIM, written_at="shop/offers.py:99")
    text = summary(with_findings(VICTIM, second, elsewhere))
    first, other = text.split("### ")[1:]
    assert first.startswith(
        "1. victim: `'offer:honey' and 1 more in cache 'default'`\n"
    )
    assert "shop.tests.B.test_other" in first
    assert "shop/offers.py:99" in other


def test_a_clean_run_has_its_bound():
    clean = STRESS | {"findings": [], "failures": [], "conflicts": []}
    text = summary(clean)
    assert (
        "No test failed. At 95% confidence fewer than 22.1% of such runs, of these "
        "kinds and on such a machine, fail." in text
    )
    assert "###" not in text
    assert "<details>" not in text
    assert "confidence" not in summary(clean | {"runs": [RUN] * 9})
    cut_short = clean | {"runs": [RUN, RUN | {"end": "crashed"}]}
    assert "No test failed" not in summary(cut_short)


def test_one_pair_is_in_the_singular():
    pairs = {"total": 2, "covered": 1, "adjacent": 1, "unreachable": 1}
    assert (
        "1 of 1 ordered pair of tests was run in that order, 1 of them as neighbours; "
        "1 more never occurs in one process under django."
        in summary(STRESS | {"pairs": pairs})
    )


def test_what_failed_and_was_not_judged_is_named():
    text = summary(with_findings(CHANCE, failures=STRESS["failures"]))
    assert "### Not judged: 1 test" in text
    assert "- `shop.tests.B.test_reads`: failed in 1 of 2 runs" in text


def test_a_merged_and_an_interrupted_report_say_so():
    text = summary(STRESS | {"merged": 3, "shard": "2/3", "interrupted": True})
    assert "12 runs of 3 reports." in text
    assert "seed 7, shard 2/3." in text
    assert "One of the reports was interrupted: it holds what was known" in text
    assert "Interrupted: what follows is what was known until then." in summary(
        STRESS | {"interrupted": True}
    )


def test_an_audit_says_how_many_conflicts_are_leaks():
    audit = {**STRESS, "command": "audit", "findings": [VICTIM]}
    text = summary(audit)
    assert "Audit with django: one ordinary run, caches isolated." in text
    assert (
        "4 tests in 12.0 s: 1 conflict, where one test leaves what another reads.\n\n"
        "1 leak: the outcome of 1 test depends on it.\n\nIsolation cures it" in text
    )
    assert "No leak: no outcome depends on" in summary(audit | {"findings": []})
    assert "### " not in text.replace("### 1. victim", "")


def test_an_audit_names_what_failed_in_its_own_run():
    run = RUN | {"failed": ["shop.tests.D.test_alone", VICTIM["test"]]}
    audit = {**STRESS, "command": "audit", "findings": [VICTIM], "runs": [run]}
    del audit["failures"]
    text = summary(audit)
    assert (
        "### Not judged: 1 test\n\n- `shop.tests.D.test_alone`: failed in the audit's "
        "own run, with isolation\n\nWhat passes with CI_CACHE_ISOLATION=off needs"
        in text
    )


def test_a_memoised_function_is_named():
    state = {"kind": "memoised", "function": "shop.rates.rate"}
    state |= {"written_at": "shop/rates.py:3", "read_at": "shop/rates.py:3"}
    text = summary(with_findings(VICTIM | {"state": state}))
    assert (
        "victim: `shop.rates.rate() remembers (functools.lru_cache, shop/rates.py:3)`\n"
        in text
    )


@pytest.mark.parametrize("text", ["a`b", "<b>", "a|b", "a&lt;b", " a", "", HOSTILE])
def test_nothing_ends_inline_code(text):
    shown = code(text)
    inside = re.fullmatch(r"<code>([^<>`|\n]*)</code>", shown)
    assert inside, shown
    assert html.unescape(inside[1]).startswith(text[:2].strip("\n"))


def test_harmless_names_are_left_as_they_are():
    assert code("test_x[1-a]::offers:*_$1_ \\d www.evil.example") == (
        "`test_x[1-a]::offers:*_$1_ \\d www.evil.example`"
    )
    assert len(code("k" * 5000)) < 400


def hostile():
    state = {"alias": HOSTILE, "key": HOSTILE, "written_at": HOSTILE}
    finding = with_state(VICTIM, **state, read_at=HOSTILE)
    finding |= {"test": HOSTILE, "message": HOSTILE, "replay": HOSTILE}
    finding |= {"after": [[HOSTILE, HOSTILE]], "cleaners": [HOSTILE]}
    seen = [{"test": HOSTILE, "at": HOSTILE}]
    conflict = {"alias": HOSTILE, "key": HOSTILE, "left_by": seen, "seen_by": seen}
    failure = {"test": f"{HOSTILE}2", "failed_in": [1], "passed_in": [0]}
    return STRESS | {
        "suite": {"runner": HOSTILE, "tests": 4, "settings": HOSTILE},
        "findings": [finding],
        "conflicts": [conflict],
        "failures": [failure],
        "remarks": [HOSTILE],
    }


def test_hostile_names_break_out_of_nothing():
    text = summary(hostile() | {"suite": STRESS["suite"]})
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert set(re.findall(r"</?[^>]*>", text)) == {
        *("<code>", "</code>", "<pre>", "</pre>"),
        *("<details>", "</details>", "<summary>", "</summary>"),
    }
    outside = re.sub(r"<code>[^<]*</code>", "", text)
    for mark in ("`", "|", "script", "evil", "@somebody", "\n# title"):
        assert mark not in outside


def test_a_limit_cuts_between_cards_and_says_what_is_missing():
    findings = [
        with_state(VICTIM, written_at=f"shop/é.py:{line}") for line in range(200)
    ]
    document = with_findings(*findings)
    whole = summary(document)
    assert whole.count("### ") == 200
    for limit in (3_000, 20_000, len(whole.encode()) - 1):
        text = summary(document, limit)
        assert len(text.encode()) <= limit
        kept = text.count("### ")
        missing = f"And {200 - kept} more: all of it is in the report."
        assert text.endswith(missing if kept < 200 else "in the report.")
        assert text.count("```") == 2 * kept
        assert "<details>" not in text
    assert summary(document, len(whole.encode()) + 1) == whole
    assert summary(document, 10) == summary(document, -5) == ""


def test_long_lists_are_counted():
    after = [[f"shop.tests.A.test_{number}"] for number in range(20)]
    document = with_findings(VICTIM | {"after": after})
    document["conflicts"] = [CONFLICT] * 130
    text = summary(document)
    assert "- and 15 more, see the report" in text
    assert "<summary>130 conflicts</summary>" in text
    assert "- and 30 more, see the report" in text


def test_a_run_that_ended_early_says_why_and_is_not_called_clean():
    clean = STRESS | {"findings": [], "failures": [], "conflicts": []}
    text = summary(clean | {"failure": "The process <that> forks has ended."})
    assert "It ended early: <code>The&#32;process&#32;&#60;that&#62;" in text
    assert "No test failed" not in text
