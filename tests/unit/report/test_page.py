"""Reports as a page and as JUnit's XML, and as files."""

import copy
import json
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.report.files import write
from ci_cache_isolation.report.junit import junit
from ci_cache_isolation.report.page import SHOWN_CONFLICTS, page
from tests.unit.report.test_markdown import CHANCE, CONFLICT, HOSTILE, STRESS, VICTIM

TOOL = {"name": "ci-cache-isolation", "version": "1.0"}
RUNS = [
    {
        "index": at,
        "name": name,
        "kind": name.split()[0],
        "cache": "shared",
        "seconds": 1.25,
        "end": "finished",
        "passed": 3,
        "skipped": 0,
        "failed": failed,
        "messages": {},
    }
    for at, (name, failed) in enumerate([("forward", []), ("random 7", ["t"])])
]
WHOLE = STRESS | {"tool": TOOL, "runs": RUNS, "failure": ""}
CLEAN = WHOLE | {"findings": [], "failures": [], "conflicts": []}
AUDIT_RUN = {
    "index": 0,
    "kind": "forward",
    "seed": None,
    "cache": "isolated",
    "processes": 1,
    "seconds": 1.25,
    "failed": [],
}
AUDIT = WHOLE | {
    "command": "audit",
    "complete": True,
    "runs": [AUDIT_RUN | {"failed": ["shop.tests.E.test_needs_isolation_off"]}],
    "bound": {},
}
CLEAN_AUDIT = AUDIT | {"findings": [], "runs": [AUDIT_RUN]}


class Seen(HTMLParser):
    """What a browser is told: the tags with their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.texts = []
        self.feed(text)
        self.close()
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, *attributes))

    def handle_data(self, data):
        self.texts.append(data)


def test_a_page_says_who_which_key_where_and_how_to_see_it():
    text = Seen(page(WHOLE)).text
    for part in (
        "Stress with django, caches shared, seed 7.",
        "Judged: 1 victim, 1 non-deterministic.",
        "Isolation cures it: with it the test passes in the same order.",
        "1. victim : 'offer:honey' in cache 'default'",
        "shop.tests.B.test_reads : victim, passes alone and fails after others",
        "fails after shop.tests.A.test_writes",
        "stored at shop/offers.py:13 read at shop/offers.py:21",
        "proof failed alone 0/5, after 5/5, isolated 0/5: isolation cures it",
        "it says AssertionError: 30 != 0",
        "hidden when shop.tests.C.test_clears runs between",
        f"See it fail: {VICTIM['replay']}",
        "2. non-deterministic",
        "test forward random 7 shop.tests.D.test_by_chance · ✗",
        "random 7 shared 1.2 3 0 1 finished",
        "1 conflict , where one test leaves what another one reads",
    ):
        assert " ".join(part.split()) in text.replace("victim: ", "victim : ").replace(
            "conflict, where", "conflict , where"
        ), part


def test_a_page_needs_nothing_and_lets_nothing_run():
    tags = Seen(page(WHOLE)).tags
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert (
        "meta",
        ("http-equiv", "Content-Security-Policy"),
        ("content", policy),
    ) in tags
    assert not {"script", "link", "img", "iframe", "a", "form"} & {
        tag for tag, *_ in tags
    }
    names = {name for _, *attributes in tags for name, _ in attributes}
    assert not names & {"src", "href", "style", "onload", "onclick"}


def renamed(value, name):
    """Return a document in which every name, key and message is that text."""
    if isinstance(value, str):
        return name
    if isinstance(value, list):
        return [renamed(each, name) for each in value]
    if isinstance(value, dict):
        kept = {"verdict", "kind", "how", "end", "cache", "proof", "command"}
        return {
            key: each if key in kept else renamed(each, name)
            for key, each in value.items()
        }
    return value


@pytest.mark.parametrize("document", [WHOLE, AUDIT])
def test_hostile_names_are_text(document):
    document = copy.deepcopy(document)
    pages = [page(renamed(document, name)) for name in (HOSTILE, "harmless")]
    hostile, harmless = map(Seen, pages)
    assert hostile.tags == harmless.tags
    assert "<script>alert(1)</script>" in hostile.text
    assert "\x1b" not in pages[0]
    assert "\u202e" not in pages[0]
    xml = junit(renamed(document, HOSTILE))
    assert {each.tag for each in ET.fromstring(xml).iter()} == {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
    }


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        (WHOLE, "Judged: 1 victim, 1 non-deterministic"),
        (CLEAN, "No test failed"),
        (CLEAN | {"runs": []}, "It is not known: no run came to its end"),
        (CLEAN | {"failures": WHOLE["failures"]}, "2 tests failed"),
        (AUDIT, "2 leaks: the outcome of 2 tests depends on them"),
        (CLEAN_AUDIT, "No leak: no outcome depends on what another test leaves"),
        (
            AUDIT | {"findings": []},
            "No leak, but 1 test failed in the audit's own run",
        ),
        (CLEAN | {"failure": "No fork."}, "It is not known: not every run came to"),
        (
            CLEAN_AUDIT | {"interrupted": True},
            "No leak was proved, but not all was put to the test",
        ),
        (
            CLEAN_AUDIT | {"complete": False},
            "No leak was proved, but not all was put to the test",
        ),
    ],
)
def test_the_title_has_the_answer(document, answer):
    text = Seen(page(document)).text
    title = "Cache audit" if document["command"] == "audit" else "Stress"
    assert f"{title}: {answer}" in text


def test_the_answer_is_one_sentence_and_what_it_means_stands_below():
    runs = [RUNS[0] | {"index": at} for at in range(12)]
    tags = page(CLEAN | {"runs": runs})
    assert '<p class="answer good">No test failed.</p>\n<p>At 95% confidence' in tags


def test_the_others_of_a_card_are_below_a_fold():
    many = [VICTIM | {"test": f"shop.T.test_{at}"} for at in range(30)]
    text = page(WHOLE | {"findings": many})
    above, _, fold = text.partition("and 25 more</summary>")
    assert "shop.T.test_4<" in above
    assert "shop.T.test_5<" not in above
    assert "shop.T.test_29<" in fold


def test_a_page_of_many_conflicts_has_an_end():
    many = [CONFLICT | {"key": f"key {at}"} for at in range(SHOWN_CONFLICTS + 7)]
    text = page(WHOLE | {"conflicts": many})
    assert "And 7 more: all of it is in report.json." in text
    assert "1,007 conflicts, where" in text


def test_each_test_that_was_judged_is_a_failure_in_junit():
    suites = ET.fromstring(junit(WHOLE))
    assert suites.attrib["failures"] == suites.attrib["tests"] == "2"
    assert suites.attrib["time"] == "2.500"
    [victim, chance] = suites.iter("testcase")
    assert (victim.attrib["classname"], victim.attrib["name"]) == (
        "shop.tests.B",
        "test_reads",
    )
    [failure] = victim
    assert failure.attrib["type"] == "victim"
    assert failure.text.splitlines() == [
        "'offer:honey' in cache 'default'",
        "fails after shop.tests.A.test_writes",
        "stored at shop/offers.py:13",
        "read at shop/offers.py:21",
        "failed alone 0/5, after 5/5, isolated 0/5: isolation cures it",
        "AssertionError: 30 != 0",
        "hidden when shop.tests.C.test_clears runs between",
        f"See it fail: {VICTIM['replay']}",
    ]
    assert chance[0].attrib["type"] == "non-deterministic"


@pytest.mark.parametrize(
    ("test", "classname", "name"),
    [
        ("shop/test_a.py::T::test_b[x::y]", "shop.test_a.T", "test_b[x::y]"),
        ("shop/test_a.py::test_b", "shop.test_a", "test_b"),
        ("shop.tests.T.test_b", "shop.tests.T", "test_b"),
        ("setUpClass (shop.tests.T)", "shop.tests.T", "setUpClass"),
        ("test", "", "test"),
    ],
)
def test_ids_are_divided_as_junit_has_them(test, classname, name):
    document = CLEAN | {"findings": [CHANCE | {"test": test}]}
    [case] = ET.fromstring(junit(document)).iter("testcase")
    assert (case.attrib["classname"], case.attrib["name"]) == (classname, name)


@pytest.mark.parametrize("document", [CLEAN, CLEAN_AUDIT])
def test_where_all_is_well_one_test_has_passed(document):
    suites = ET.fromstring(junit(document))
    [case] = suites.iter("testcase")
    assert (suites.attrib["tests"], suites.attrib["failures"]) == ("1", "0")
    assert list(case) == []


def test_a_report_is_four_files_that_git_ignores(tmp_path):
    write(WHOLE, tmp_path / "new")
    assert sorted(each.name for each in (tmp_path / "new").iterdir()) == [
        ".gitignore",
        "junit.xml",
        "report.html",
        "report.json",
        "summary.md",
    ]
    assert json.loads((tmp_path / "new" / "report.json").read_text()) == WHOLE


def test_a_folder_that_takes_none_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match=r"can't be written to .*file/r: File exists"):
        write(WHOLE, tmp_path / "file" / "r")
