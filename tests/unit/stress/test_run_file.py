import stat
from dataclasses import replace

import pytest

from ci_cache_isolation.evidence.account import Entry
from ci_cache_isolation.judging.judged import Cost, Judged, Replayed
from ci_cache_isolation.judging.proofs import Proof
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.suite import SuiteTest
from ci_cache_isolation.stress.plan import Kind, Shard, Step, Wishes
from ci_cache_isolation.stress.request import StressRequest
from ci_cache_isolation.stress.results import Cache, End, Run
from ci_cache_isolation.stress.run_file import (
    KeptFinding,
    Known,
    PlanHeader,
    ResumeError,
    RunFile,
    suite_name,
)

TESTS = [SuiteTest("a", ("A",), 0), SuiteTest("é", ("B",), 2)]
REQUEST = StressRequest(
    labels=("-k", "é"),
    cache=Cache.SHARED,
    wishes=Wishes(orders=4, split=2),
    minutes=1.5,
    seed=7,
    processes=2,
    shard=Shard(2, 4),
)
ABOUT = PlanHeader(REQUEST, "pytest", "shop.settings", suite_name(TESTS))
FORWARD = Run(
    step=Step(0, Kind.FORWARD),
    cache=Cache.SHARED,
    end=End.FINISHED,
    seconds=1.5,
    order=("a", "é"),
    passed=frozenset({"a"}),
    skipped=frozenset({"é"}),
)
RANDOM = Run(
    step=Step(4, Kind.RANDOM, seed=7, reverse=True, mixed=True),
    cache=Cache.SHARED,
    end=End.TIMED_OUT,
    seconds=60.0,
    order=("é",),
    failed=("é",),
    running="é",
    messages={"é": "it hangs"},
)
SPLIT = Run(
    step=Step(7, Kind.SPLIT, processes=2),
    cache=Cache.SHARED,
    end=End.FINISHED,
    seconds=2.0,
    passed=frozenset({"a", "é"}),
    workers=(("a",), ("é",)),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.jsonl"


def test_what_was_written_is_read(path):
    file = RunFile(path, ABOUT, [FORWARD])
    file.add(SPLIT)
    file.add(RANDOM)
    known = Known.read(path)
    assert (known.about, known.runs) == (ABOUT, [FORWARD, SPLIT, RANDOM])


def test_a_judgement_is_read_as_it_was_and_the_last_word_on_a_test_counts(path):
    entry = Entry("memory:1", "", "1", "rate")
    judged = Judged(
        "é",
        Verdict.VICTIM,
        Proof(0, 5, 0),
        ("a", "é"),
        (("a",),),
        isolation_cures=True,
        replayed=Replayed(1, 3),
        cost=Cost(9, 0.5),
    )
    file = RunFile(path, ABOUT, [FORWARD])
    file.add(KeptFinding(replace(judged, after=())))
    file.add(RANDOM)
    file.add(kept := KeptFinding(judged, ((entry,),), (entry,)))
    known = Known.read(path)
    assert (known.runs, known.kept) == ([FORWARD, RANDOM], {"é": kept})
    RunFile(path, ABOUT, known.runs, known.kept.values())
    assert Known.read(path) == known


def test_nobody_else_can_read_it(path):
    RunFile(path, ABOUT, [FORWARD]).add(RANDOM)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_of_a_run_that_was_being_written_nothing_is_read(path):
    RunFile(path, ABOUT, [FORWARD]).add(RANDOM)
    whole = path.read_bytes()
    begin = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    for end in range(begin, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert Known.read(path).runs == [FORWARD]
    path.write_bytes(whole[:begin] + b"\0\xff" * 40)
    assert Known.read(path).runs == [FORWARD]


def test_one_that_goes_on_leaves_no_cut_line(path):
    RunFile(path, ABOUT, [FORWARD])
    with path.open("a") as file:
        file.write('{"step": ')
    RunFile(path, ABOUT, Known.read(path).runs).add(SPLIT)
    assert Known.read(path).runs == [FORWARD, SPLIT]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "it is no JSON"),
        ("nonsense", "it is no JSON"),
        ('{"schema": 2}', "schema is 2, not 1"),
        ("[]", "Expected `object`, got `array`"),
        ('{"schema": 1}', "Object missing required field `request`"),
    ],
)
def test_another_file_is_refused_with_what_was_found(path, text, found):
    path.write_text(text)
    with pytest.raises(ResumeError) as caught:
        Known.read(path)
    assert str(caught.value).startswith(
        f"{path} holds no run that could be resumed ({found}). "
    )


def test_a_missing_file_and_one_without_forward_are_refused(path):
    with pytest.raises(ResumeError, match="No such file"):
        Known.read(path)
    RunFile(path, ABOUT, [])
    with pytest.raises(ResumeError, match="does not begin with forward"):
        Known.read(path)


def test_a_run_with_an_unknown_part_is_refused(path):
    RunFile(path, ABOUT, [FORWARD])
    with path.open("a") as file:
        file.write('{"step": {"index": 1, "kind": "sideways"}}\n')
    with pytest.raises(
        ResumeError, match=r"line 3: .* at `\$\.step\.kind`, which is 's"
    ):
        Known.read(path)


def asking(**given):
    return replace(ABOUT, request=replace(REQUEST, **given))


def wishing(**given):
    return asking(wishes=replace(REQUEST.wishes, **given))


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (asking(labels=("shop",)), "the list of labels is '-k 'é'' there, and 'shop'"),
        (asking(cache=Cache.ISOLATED), "--cache is 'shared' there, and 'isolated'"),
        (asking(seed=8), "--seed is '7' there, and '8' here"),
        (asking(shard=Shard(1, 1)), "--shard is '2/4' there, and '1/1' here"),
        (wishing(split=0), "--split is '2' there, and '0' here"),
        (wishing(mixed=True), "--mixed is 'off' there, and 'on' here"),
        (wishing(until_pairs=0.5), "--until-pairs is 'off' there, and 'on' here"),
        (replace(ABOUT, runner="django"), "--runner is 'pytest' there, and 'django'"),
        (replace(ABOUT, settings="x"), "the settings module is 'shop.settings' there"),
        (
            replace(ABOUT, suite=suite_name(TESTS[:1])),
            "the suite is '2 tests, ",
        ),
        (
            replace(ABOUT, versions={**ABOUT.versions, "Django": "1.0"}),
            "there, and '1.0' here",
        ),
    ],
)
def test_what_is_of_something_else_is_refused(path, now, found):
    known = Known(path, ABOUT, [FORWARD])
    with pytest.raises(ResumeError) as caught:
        known.check(now)
    assert found in str(caught.value).replace('"', "'")
    assert "leave --resume out to begin anew" in str(caught.value)


def test_more_orders_minutes_and_processes_are_the_same_run(path):
    known = Known(path, ABOUT, [FORWARD])
    known.check(ABOUT)
    known.check(wishing(orders=40))
    known.check(asking(minutes=None, processes=8))


def test_a_suite_is_its_tests_in_their_sequence_groups_and_ranks():
    first, second = TESTS
    others = [[second, first], [first], [first, replace(second, rank=1)]]
    others.append([first, replace(second, groups=("C",))])
    names = {suite_name(each) for each in [TESTS, *others]}
    assert len(names) == 5
    assert suite_name(list(TESTS)) == suite_name(TESTS)
