"""What a report comes to, in sentences: of ``report.json``, for whatever shows it."""

from __future__ import annotations

from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.report.documents import Document, FindingRow
from ci_cache_isolation.report.words import counted
from ci_cache_isolation.running.jobs import End

__all__ = [
    "advice",
    "answer",
    "bounded",
    "covered",
    "cured",
    "interrupted",
    "needs_others",
    "subject",
]

ENOUGH_RUNS = 10
"""Of fewer runs without a failure a bound says nothing that anybody wants to hear."""

_NEEDS_OTHERS = (
    "What passes with CI_CACHE_ISOLATION=off needs what another test leaves in a "
    "cache, or looks past the cache API (docs/limits.md)."
)
_RESULTS = {
    "harmless": (
        "{conflicts} changed no outcome: listed in the report, and harmless as far as "
        "the tests tell."
    ),
    "untested": (
        "{conflicts} {were} not put to the test, or not apart from others: listed in "
        "the report."
    ),
}


def subject(document: Document) -> tuple[str, str]:
    """Return a title, and what was run how."""
    runner = document["suite"]["runner"]
    if document["command"] == "audit":
        return "Cache audit", f"Audit with {runner}: one ordinary run, caches isolated."
    caches = {run["cache"] for run in document["runs"]}
    what = f"Stress with {runner}, caches {' and '.join(sorted(caches))}"
    if document.get("seed") is not None:
        what += f", seed {document['seed']}"
    if document.get("shard") not in {None, "1/1"}:
        what += f", shard {document['shard']}"
    return "Stress", f"{what}."


def interrupted(document: Document) -> str:
    """Return what it means that a run was interrupted; nothing where none was."""
    if not document["interrupted"]:
        return ""
    if "merged" in document:
        return "One of the reports was interrupted: it holds what was known until then."
    return "Interrupted: what follows is what was known until then."


def covered(document: Document) -> str:
    """Return how many tests there were, and what was seen of them."""
    runner, runs = document["suite"]["runner"], document["runs"]
    tests = counted(document["suite"]["tests"], "test")
    if document["command"] == "audit":
        # Of what was recorded nobody has taken the time.
        seconds = sum(run["seconds"] for run in runs)
        took = f" in {seconds:.1f} s" if seconds else ""
        conflicts = counted(len(document["conflicts"]), "conflict")
        text = f"{tests}{took}: {conflicts}, where one test leaves what another reads."
        if (cost := document.get("cost")) and cost["runs"]:
            text += (
                f" {counted(cost['runs'], 'short run')} in {cost['seconds']:.1f} s put "
                "that to the test."
            )
        return text
    text = f"{tests}, {counted(len(runs), 'run')}"
    if "merged" in document:
        text += f" of {counted(document['merged'], 'report')}"
    if cut_short := sum(run["end"] != End.FINISHED for run in runs):
        text += f", {cut_short} of them cut short"
    pairs = document["pairs"]
    unreachable = pairs["unreachable"] or 0
    if pairs["total"] and pairs["covered"] is not None:
        reachable = pairs["total"] - unreachable
        text += f". {_in_order(pairs['covered'], reachable, pairs['adjacent'] or 0)}"
    if unreachable:
        verb = "occurs" if unreachable == 1 else "occur"
        text += f"; {unreachable:,} more never {verb} in one process under {runner}"
    return f"{text}."


def _in_order(pairs: int, reachable: int, adjacent: int) -> str:
    """Return how many pairs of tests were run in their order."""
    verb = "was" if reachable == 1 else "were"
    return (
        f"{pairs:,} of {counted(reachable, 'ordered pair')} of tests {verb} run in "
        f"that order, {adjacent:,} of them as neighbours"
    )


def answer(document: Document, causes: int, others: int) -> tuple[str, str]:
    """Return what one looks for first, and whether it is good, bad or a warning.

    ``causes`` are the cards of the report, ``others`` tests that were not judged.
    """
    if document["findings"]:
        return _found(document, causes), "bad"
    if document["command"] == "audit":
        return _no_leak(document, others)
    if others:
        return f"{counted(others, 'test')} failed.", "bad"
    if text := bounded(document):
        return text, "good"
    is_begun = any(run["end"] == End.FINISHED for run in document["runs"])
    which = "not every" if is_begun else "no"
    return f"It is not known: {which} run came to its end.", "warn"


def _no_leak(document: Document, others: int) -> tuple[str, str]:
    if document["interrupted"] or not document.get("complete", True):
        return "No leak was proved, but not all was put to the test.", "warn"
    if others:
        failed = counted(others, "test")
        return f"No leak, but {failed} failed in the audit's own run.", "warn"
    return "No leak: no outcome depends on what another test leaves.", "good"


def _found(document: Document, causes: int) -> str:
    findings = document["findings"]
    if document["command"] == "audit":
        them = "it" if causes == 1 else "them"
        tests = counted(len(findings), "test")
        return f"{counted(causes, 'leak')}: the outcome of {tests} depends on {them}."
    verdicts = [each["verdict"] for each in findings]
    counts = [
        counted(number, "victim")
        if verdict is Verdict.VICTIM
        else f"{number} {verdict}"
        for verdict in Verdict.known.values()
        if (number := verdicts.count(verdict))
    ]
    return f"Judged: {', '.join(counts)}."


def advice(document: Document) -> list[str]:
    """Return what helps, and what there was besides: a sentence for each."""
    results = [str(each.get("result")) for each in document["conflicts"]]
    left = [
        text.format(
            conflicts=counted(number, "conflict"), were="was" if number == 1 else "were"
        )
        for result, text in _RESULTS.items()
        if (number := results.count(result))
    ]
    return [*cured(document), *left]


def needs_others(document: Document) -> str:
    """Return what it may mean that tests fail in an audit's own run, with isolation."""
    return _NEEDS_OTHERS if document["command"] == "audit" else ""


def cured(document: Document) -> list[str]:
    """Return what helps tests that depend on others' runs or on their own."""
    dependent = [
        each for each in document["findings"] if Verdict(each["verdict"]).is_by_others
    ]
    number = len(dependent)
    if not number:
        return []
    brittle = [each for each in dependent if each["verdict"] == Verdict.BRITTLE]
    others = [each for each in dependent if each["verdict"] != Verdict.BRITTLE]
    helped = sum(each["isolation_cures"] is True for each in others)
    texts = []
    if document["command"] == "stress":
        them = "it" if number == 1 else "them"
        whom = counted(number, "test")
        texts = [f"What runs before or beside {them} decides about {whom}."]
    if helped:
        they_pass = "the test passes" if helped == 1 else "they pass"
        texts.append(
            f"Isolation cures {_of(helped, number)}: with it {they_pass} in the same "
            "order."
        )
    if remembered := sum(map(_is_remembered, others)):
        texts.append(
            f"Isolation does not cure {_of(remembered, number, 'any of them')}: "
            "functions remember what decides. Call cache_clear() in the tests' set-up, "
            "or set reset_memoised."
        )
    if put_back := [each for each in others if _is_put_back(each)]:
        names = dict.fromkeys(
            name for each in put_back if each["state"] for name in each["state"]["cure"]
        )
        listed = ", ".join(map(repr, names))
        texts.append(
            f"No cache carries what decides about {_of(len(put_back), number)}. What "
            f"does is put back by isolate(CACHES, state=[{listed}])."
        )
    if named := [each for each in others if _is_only_named(each)]:
        names = dict.fromkeys(_name(each) for each in named)
        texts.append(
            f"No cache carries what decides about {_of(len(named), number)}, and no "
            f"option puts back what does: {', '.join(names)}. Undo it in the test that "
            "does it; rows are undone by a TestCase."
        )
    is_isolated = document["command"] == "stress" and all(
        run["cache"] == "isolated" for run in document["runs"]
    )
    if rest := sum(
        not _is_remembered(each)
        and not _is_put_back(each)
        and not _is_only_named(each)
        and (each["isolation_cures"] is False or is_isolated)
        for each in others
    ):
        texts.append(
            f"No cache carries what decides about {_of(rest, number)}, and nothing "
            "that can be put back: check files, the database, other programs."
        )
    if brittle:
        them = "it" if len(brittle) == 1 else "them"
        what = "fails" if len(brittle) == 1 else "fail"
        texts.append(
            f"{_of(len(brittle), number).capitalize()} {what}, isolated or not, "
            f"without what another test leaves: let {them} set that up."
        )
    return texts


def _of(number: int, of: int, every: str = "all of them") -> str:
    """Return who it is of those that were counted."""
    if number == of:
        return "it" if number == 1 else every
    return f"{number:,} of them"


def _is_only_named(finding: FindingRow) -> bool:
    """Return whether what decides has a name, and nothing that is printed cures it."""
    return bool(_name(finding)) and not _is_put_back(finding)


def _name(finding: FindingRow) -> str:
    state = finding["state"]
    return state["name"] if state and state["kind"] == "state" else ""


def _is_put_back(finding: FindingRow) -> bool:
    """Return whether its order passed with what carries it put back after each test."""
    state = finding["state"]
    return state is not None and bool(state.get("cure"))


def _is_remembered(finding: FindingRow) -> bool:
    """Return whether the test does as it does alone when memoised functions forget."""
    proof = finding["proof"]
    return proof.get("reset") is not None and proof["reset"] == proof["alone"]


def bounded(document: Document) -> str:
    """Return what runs without a failure say of others; nothing where one failed."""
    runs, bound = document["runs"], document["bound"]
    is_whole = all(run["end"] == End.FINISHED for run in runs)
    is_whole = is_whole and not document.get("failure")
    if document.get("failures") or document["findings"] or not runs or not is_whole:
        return ""
    text = "No test failed."
    if document["interrupted"]:
        text = "No test failed until then."
    if len(runs) >= ENOUGH_RUNS and (rate := bound["failure_rate_below"]) is not None:
        text += (
            f" At {bound['confidence']:.0%} confidence fewer than {rate:.1%} of such "
            "runs, of these kinds and on such a machine, fail."
        )
    if all(run["cache"] == "isolated" for run in runs):
        text += (
            " Caches were isolated. What fails without that, a cache leak, shows with "
            "--cache shared."
        )
    return text
