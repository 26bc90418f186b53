"""A report as JUnit's XML, for whatever shows the failures of a build.

A test that was judged is a failure of the type of its verdict. Where all is well there
is one test that passed, since a file without any looks like a run that went wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from ci_cache_isolation.report.cards import cards, unjudged
from ci_cache_isolation.report.documents import Document
from ci_cache_isolation.report.words import printable

__all__ = ["junit"]

_NODE = re.compile(
    r"(?P<module>.+?)\.py::(?P<classes>(?:\w+::)*)(?P<name>.+)", re.DOTALL
)
_SET_UP = re.compile(r"(setUp\w+) \((.+)\)")
_NOT_JUDGED = "not judged"
_CLEAN = {"audit": "no cache leak", "stress": "no test depends on the order"}


def junit(document: Document) -> str:
    """Return a report of stress, of audit, or of several merged, as XML."""
    command = document["command"]
    cases = list(_cases(document))
    counts = {
        "name": f"cache-isolation {command}",
        "tests": str(len(cases) or 1),
        "failures": str(len(cases)),
        "errors": "0",
        "time": f"{sum(run['seconds'] for run in document['runs']):.3f}",
    }
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", counts | {"skipped": "0"})
    for case in cases:
        suite.append(case)
    if not cases:
        name = {"classname": "cache-isolation", "name": _CLEAN[command]}
        ET.SubElement(suite, "testcase", name | {"time": "0"})
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _cases(document: Document) -> Iterator[ET.Element]:
    for card in cards(document["findings"]):
        for each in card.tests:
            facts = [*each.facts, *card.facts]
            lines = [line for fact in facts for line in fact.lines()]
            if replay := each.replay or card.replay:
                lines.append(f"See it fail: {replay}")
            told = "\n".join(filter(None, [card.carrier, *lines]))
            verdict = each.title.partition(",")[0]
            yield _case(each.test, verdict, each.title, told)
    for other in unjudged(document):
        yield _case(other.test, _NOT_JUDGED, other.text, other.message)


def _case(test: str, kind: str, message: str, text: str) -> ET.Element:
    if node := _NODE.fullmatch(test):
        module = node["module"].replace("/", ".")
        classname = ".".join([module, *node["classes"].split("::")[:-1]])
        name = node["name"]
    elif set_up := _SET_UP.fullmatch(test):
        name, classname = set_up.groups()
    else:
        classname, _, name = test.rpartition(".")
    # XML has no way to say most control characters.
    names = {"classname": printable(classname), "name": printable(name), "time": "0"}
    case = ET.Element("testcase", names)
    failure = ET.SubElement(
        case, "failure", {"type": kind, "message": printable(message)}
    )
    failure.text = "\n".join(map(printable, text.split("\n")))
    return case
