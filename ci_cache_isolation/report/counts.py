"""What a report comes to, in sentences: of ``report.json``, for whatever shows it."""

from __future__ import annotations

from ci_cache_isolation.judging.proofs import Verdict
from ci_cache_isolation.report.documents import Document, ProofRow
from ci_cache_isolation.report.words import counted
from ci_cache_isolation.running.jobs import End

__all__ = ["bounded", "covered", "cured", "judged", "met", "subject"]

ENOUGH_RUNS = 10
"""Of fewer runs without a failure a bound says nothing that anybody wants to hear."""

_BY_OTHERS = frozenset(Verdict) - {Verdict.BROKEN, Verdict.NON_DETERMINISTIC}
"""What other tests do, or the same test the time before."""


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


def covered(document: Document) -> str:
    """Return how many tests, runs and pairs of tests there were."""
    text = (
        f"{counted(document['suite']['tests'], 'test')}, "
        f"{counted(len(document['runs']), 'run')}"
    )
    if "merged" in document:
        text += f" of {counted(document['merged'], 'report')}"
    if cut_short := sum(run["end"] != End.FINISHED for run in document["runs"]):
        text += f", {cut_short} of them cut short"
    pairs = document["pairs"]
    unreachable = pairs["unreachable"] or 0
    if pairs["total"] and pairs["covered"] is not None:
        reachable = pairs["total"] - unreachable
        text += f". {_in_order(pairs['covered'], reachable, pairs['adjacent'] or 0)}"
    if unreachable:
        text += _never_in_order(unreachable, document["suite"]["runner"])
    return f"{text}."


def _in_order(pairs: int, reachable: int, adjacent: int) -> str:
    """Return how many pairs of tests were run in their order."""
    verb = "was" if reachable == 1 else "were"
    return (
        f"{pairs:,} of {counted(reachable, 'ordered pair')} of tests {verb} run in "
        f"that order, {adjacent:,} of them as neighbours"
    )


def _never_in_order(pairs: int, runner: str) -> str:
    """Return how many pairs of tests can't be, to be put after those that were."""
    verb = "occurs" if pairs == 1 else "occur"
    return f"; {pairs:,} more never {verb} in one process under {runner}"


def met(document: Document, leaks: int) -> str:
    """Return what an audit saw, and what it showed."""
    conflicts = counted(len(document["conflicts"]), "conflict")
    text = (
        f"{counted(document['suite']['tests'], 'test')}: {conflicts}, where one test "
        "leaves what another one reads. "
    )
    if not leaks:
        text += "None was seen to change an outcome."
        if not document.get("complete", True):
            text += " Not all of them were put to the test."
        return text
    tests = counted(len(document["findings"]), "test")
    return f"{text}{counted(leaks, 'leak')}: the outcome of {tests} depends on it."


def judged(document: Document) -> str:
    """Return how many tests have which verdict; nothing where none has any."""
    verdicts = [each["verdict"] for each in document["findings"]]
    counts = [
        counted(number, "victim")
        if verdict is Verdict.VICTIM
        else f"{number} {verdict}"
        for verdict in Verdict
        if (number := verdicts.count(verdict))
    ]
    return f"Judged: {', '.join(counts)}." if counts else ""


def cured(document: Document) -> str:
    """Return what helps tests that depend on others' runs or their own; or nothing."""
    dependent = [each for each in document["findings"] if each["verdict"] in _BY_OTHERS]
    if not dependent:
        return ""
    number, whom = len(dependent), counted(len(dependent), "test")
    them = "it" if number == 1 else "them"
    text = f"What runs before or beside {them} decides about {whom}. "
    if all(run["cache"] == "isolated" for run in document["runs"]):
        return text + (
            "Caches were isolated, so no cache carries that: check module globals, "
            "memoised functions, settings, files, the database."
        )
    if helped := sum(each["isolation_cures"] is True for each in dependent):
        which = "it" if number == 1 else f"{helped} of them"
        they_pass = "the test passes" if helped == 1 else "they pass"
        text += f"Isolation cures {which}: with it {they_pass} in the same order."
    else:
        cures = "does not cure it" if number == 1 else "cures none of them"
        text += f"Isolation {cures}: no cache carries that."
    if remembered := sum(_is_remembered(each["proof"]) for each in dependent):
        which = "It is" if number == 1 else f"{remembered} of them"
        are = "" if number == 1 else " is" if remembered == 1 else " are"
        text += (
            f" {which}{are} what functions remember: call cache_clear() in the tests' "
            "set-up, or set reset_memoised."
        )
    return text


def _is_remembered(proof: ProofRow) -> bool:
    """Return whether the test does as it does alone when memoised functions forget."""
    return proof.get("reset") is not None and proof["reset"] == proof["alone"]


def bounded(document: Document) -> str:
    """Return what runs without a failure say of others; nothing where one failed."""
    runs, bound = document["runs"], document["bound"]
    is_whole = all(run["end"] == End.FINISHED for run in runs)
    is_whole = is_whole and not document.get("failure")
    if document["failures"] or document["findings"] or not runs or not is_whole:
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
