"""What the benchmarks conclude from their samples; nothing here is timed."""

import random
from dataclasses import replace

import pytest

from bench.goals import Goal, Unit, Verdict, judged
from bench.rounds import interleaved
from bench.spread import Comparison, Estimate, compared
from bench.stressing import ORDERS, Timed, Watch, _in_turns
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.stress.plan import Kind, Step
from ci_cache_isolation.stress.results import Run

RATIO = Goal(1.0, Unit.RATIO)
MORE = Goal(10, Unit.MICROSECONDS)
RUN = Run(step=Step(0, Kind.FORWARD), cache=Cache.SHARED, end=End.FINISHED, seconds=1.0)
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


def test_loops_take_all_their_orders_in_pieces_and_ours_comes_twice_in_between():
    asked = []
    loops = {
        name: lambda seed, name=name: asked.append((name, seed)) or 1.0
        for name in ("loop", "split")
    }
    taken = _in_turns(
        loops, lambda _: asked.append(("ours", 0)) or 1.0, random.Random(1)
    )
    assert {name: sum(each) for name, each in taken.items()} == {
        "loop": ORDERS,
        "split": ORDERS,
    }
    for name in loops:
        assert sorted(seed for who, seed in asked if who == name) == [*range(ORDERS)]
    places = [at for at, (who, _) in enumerate(asked) if who == "ours"]
    assert len(places) == 2
    assert 0 < places[0] < places[1] < len(asked) - 1


def test_what_a_stress_run_took_is_told_apart():
    watch = Watch()
    forward = replace(RUN, seconds=2.0)
    watch.runs = [(5.0, forward), (8.0, RUN), (9.0, RUN)]
    assert (watch.set_up, watch.observed) == (3.0, 9.0)
    # Three orders, of which one has each test twice, on two processors.
    assert watch.allowed == pytest.approx(1.1 * 4 * 2.0 / 2 + 3.0)


def test_a_goal_in_seconds_is_met_up_to_its_limit():
    assert Timed("ours", "theirs", 1.0, 4.0, 1 / 4).is_met
    assert not Timed("ours", "theirs", 1.1, 4.0, 1 / 4).is_met
