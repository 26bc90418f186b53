from ci_cache_isolation.judging.history import History, Observed, between, suspected
from ci_cache_isolation.stress.plan import Kind, Step
from ci_cache_isolation.stress.results import Cache, End, Run


def observed(order, failed="", neighbours=()):
    passed = frozenset(order) - frozenset(failed)
    return Observed(tuple(order), frozenset(failed), passed, tuple(neighbours))


def test_a_run_in_one_process_is_observed_as_it_started():
    run = Run(
        step=Step(0, Kind.RANDOM, 1),
        cache=Cache.SHARED,
        end=End.DIED,
        seconds=1.0,
        order=("b", "a"),
        passed=frozenset("b"),
        failed=("a",),
    )
    [seen] = run.observed()
    assert seen == observed("ba", "a")
    assert seen.before("a") == ("b",)


def test_each_worker_of_a_split_run_is_observed_beside_the_others():
    run = Run(
        step=Step(0, Kind.RANDOM, 1, processes=2),
        cache=Cache.SHARED,
        end=End.FINISHED,
        seconds=1.0,
        passed=frozenset("bc"),
        failed=("a",),
        workers=(("b", "a"), ("c",)),
    )
    assert list(run.observed()) == [
        observed("ba", "a", "c"),
        observed("c", "", "ba"),
    ]


def test_of_a_test_that_ran_twice_the_first_time_counts():
    assert observed("aabb").before("b") == ("a", "a")


def test_failing_orders_are_told_shortest_first_and_those_in_one_process_before():
    long, short = observed("abcv", "v"), observed("avbc", "v")
    split = observed("v", "v", neighbours="abc")
    history = History([long, split, short, observed("vabc"), observed("")])
    assert history.tests == ("v",)
    assert history.failing("v") == [short, long, split]
    assert history.passing("v") == [observed("vabc")]
    assert history.failing("a") == []


def test_who_was_there_in_every_failing_order_and_in_no_passing_one_is_suspected():
    failing = [observed("xabcv", "v"), observed("bxyav", "v")]
    assert suspected("v", failing, []) == ("x", "a", "b")
    assert suspected("v", failing, [observed("bvxa")]) == ("x", "a")
    assert suspected("v", failing, [observed("bxav")]) == ()


def test_who_stood_behind_a_polluter_when_the_test_passed_may_have_cleaned_up():
    passing = [observed("apbcv"), observed("vapb")]
    assert between("v", ["p"], [], passing) == ("b", "c")
    assert between("v", ["p"], [observed("pbv", "v")], passing) == ("c",)
    assert between("v", ["p", "q"], [], [observed("pbqcv")]) == ("c",)
