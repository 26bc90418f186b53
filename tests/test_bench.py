"""What the benchmarks conclude from their samples; nothing here is timed."""

import random

import pytest

from bench.goals import Goal, Unit, Verdict, judged
from bench.rounds import interleaved
from bench.spread import Comparison, Estimate, compared

RATIO = Goal(1.0, Unit.RATIO)
MORE = Goal(10, Unit.MICROSECONDS)
QUIET = Comparison(Estimate(1, 1, 1), Estimate(0, 0, 0), base=50)


def comparison(median, low, high):
    return Comparison(
        ratio=Estimate(median, low, high),
        more=Estimate(50 * (median - 1), 50 * (low - 1), 50 * (high - 1)),
        base=50,
    )


def test_a_drift_that_hits_both_leaves_their_ratio():
    plain = [[1e-6 * (1 + place) for place in range(20)] for _ in range(3)]
    isolated = [[1.25 * each for each in group] for group in plain]
    found = compared(isolated, plain)
    assert found.ratio.median == pytest.approx(1.25)
    assert found.ratio.low == pytest.approx(found.ratio.high)
    assert found.more.median == pytest.approx(0.25 * found.base)
    assert found.base < 5


def test_processes_that_differ_widen_the_interval_however_many_rounds_they_ran():
    plain = [[1.0] * 1000, [1.0] * 1000, [1.0] * 1000]
    isolated = [[0.9] * 1000, [1.0] * 1000, [1.1] * 1000]
    ratio = compared(isolated, plain).ratio
    assert (ratio.low, ratio.median, ratio.high) == (0.9, 1.0, 1.1)


def test_everybody_is_asked_once_a_round_in_an_order_that_changes():
    asked = []
    contestants = {
        name: lambda name=name: asked.append(name) or float(len(asked))
        for name in "abc"
    }
    samples = interleaved(contestants, 20, random.Random(1))
    rounds = [tuple(asked[start : start + 3]) for start in range(0, len(asked), 3)]
    assert len(rounds) == 21
    assert {frozenset(each) for each in rounds} == {frozenset("abc")}
    assert len(set(rounds)) > 3
    assert {name: len(each) for name, each in samples.items()} == dict.fromkeys(
        "abc", 20
    )
    assert min(min(each) for each in samples.values()) > 3


@pytest.mark.parametrize(
    ("goal", "measured", "control", "verdict"),
    [
        (RATIO, comparison(0.99, 0.9, 1.1), QUIET, Verdict.MET),
        (RATIO, comparison(1.01, 0.99, 1.1), QUIET, Verdict.UNCLEAR),
        (RATIO, comparison(1.1, 1.05, 1.2), QUIET, Verdict.MISSED),
        (
            RATIO,
            comparison(1.1, 1.05, 1.2),
            comparison(1.06, 0.9, 1.1),
            Verdict.UNCLEAR,
        ),
        (MORE, comparison(1.1, 1.05, 1.2), QUIET, Verdict.MET),
        (MORE, comparison(1.5, 1.4, 1.6), QUIET, Verdict.MISSED),
        (MORE.times(3), comparison(1.5, 1.4, 1.6), QUIET, Verdict.MET),
        (None, comparison(9, 9, 9), QUIET, Verdict.NONE),
    ],
)
def test_a_goal_is_missed_only_beyond_what_noise_explains(
    goal, measured, control, verdict
):
    assert judged(goal, measured, control) is verdict
