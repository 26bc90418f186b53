"""Verdicts, on suites that are made up."""

import itertools
from dataclasses import replace

import pytest

from ci_cache_isolation.judging.history import Observed
from ci_cache_isolation.judging.judge import judge
from ci_cache_isolation.judging.judged import Replayed
from ci_cache_isolation.judging.proofs import TIMES, Proof
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.jobs import SectionMode
from tests.worlds import World, random_world, shuffles

TESTS = [f"t{number:02}" for number in range(40)]


def judged(world, *orders, **options):
    if not orders:
        orders = (world.tests, world.tests[::-1])
    return judge(world.observe(*orders), world.tests, world.run, **options)


def only(world, *orders, **options):
    judgement = judged(world, *orders, **options)
    assert judgement.unjudged == ()
    [finding] = judgement.findings
    return finding


def test_a_victim_is_proved_with_its_polluter_and_cured_where_a_cache_carried_it():
    for by_cache in (set(), {"t30"}):
        world = World(TESTS, victims={"t30": [("t04",)]}, by_cache=by_cache)
        finding = only(world)
        assert finding.verdict is Verdict.VICTIM
        assert finding.after == (("t04",),)
        assert finding.order == ("t04", "t30")
        expected = Proof(0, TIMES, 0) if by_cache else Proof(0, TIMES, TIMES, TIMES)
        assert finding.proof == expected
        assert finding.isolation_cures is bool(by_cache)
        assert finding.is_complete
        assert finding.message == "why"
        assert finding.cost.runs == len(world.jobs)
        assert finding.cost.seconds <= world.seconds


def test_where_caches_were_isolated_isolation_is_no_cure_and_is_not_tried():
    world = World(TESTS, victims={"t30": [("t04",)]})
    finding = only(world, sections=SectionMode.ISOLATED)
    assert finding.proof == Proof(0, TIMES, None, TIMES)
    assert finding.isolation_cures is False
    assert {job.sections for job in world.jobs} <= {
        SectionMode.ISOLATED,
        SectionMode.RESET,
    }


def test_all_polluters_are_found_those_before_and_those_behind():
    polluters = [("t04",), ("t11",), ("t35",)]
    world = World(TESTS, victims={"t30": polluters})
    assert set(only(world).after) == set(polluters)


@pytest.mark.parametrize(
    "pair", [("t00", "t29"), ("t00", "t01"), ("t28", "t29"), ("t07", "t19")]
)
def test_two_that_are_needed_together_are_found(pair):
    world = World(TESTS, victims={"t30": [pair]})
    finding = only(world)
    assert finding.after == (pair,)
    assert finding.order == (*pair, "t30")


def test_a_pair_is_found_behind_one_that_is_enough():
    world = World(TESTS, victims={"t30": [("t04",), ("t08", "t20")]})
    assert only(world).after == (("t04",), ("t08", "t20"))


def test_pairs_beside_each_other_are_all_found():
    groups = [("t04",), ("t08", "t20"), ("t09", "t21")]
    assert set(only(World(TESTS, victims={"t30": groups})).after) == set(groups)


def test_three_that_are_needed_together_are_found():
    world = World(TESTS, victims={"t30": [("t02", "t14", "t25")]})
    assert only(world).after == (("t02", "t14", "t25"),)


def test_cleaners_are_named_and_nobody_else():
    world = World(
        TESTS, victims={"t30": [("t04",)]}, cleaners={"t30": {"t10", "t20", "t35"}}
    )
    shown = ["t04", "t30"]
    rest = [test for test in TESTS if test not in shown]
    finding = only(world, TESTS, shown + rest, TESTS[::-1])
    # t35 stood nowhere between the two, so it hid nothing.
    assert finding.cleaners == ("t10", "t20")
    assert finding.after == (("t04",),)


def test_no_cleaner_is_looked_for_among_those_that_did_not_help():
    world = World(TESTS, victims={"t30": [("t04",)]})
    assert only(world).cleaners == ()


def test_a_cleaner_in_the_suite_hides_no_polluter():
    # What makes detect-test-pollution give up: alone with everybody the test passes.
    world = World(TESTS, victims={"t30": [("t04",)]}, cleaners={"t30": {"t05"}})
    order = [*TESTS[5:30], "t04", "t30", *TESTS[:4], *TESTS[31:]]
    assert only(world, TESTS, order).after == (("t04",),)


def test_a_brittle_test_is_proved_with_its_state_setters():
    world = World(TESTS, brittle={"t10": [("t04",), ("t33",)]})
    finding = only(world, TESTS, TESTS[10:] + TESTS[:10])
    assert finding.verdict is Verdict.BRITTLE
    assert set(finding.after) == {("t04",), ("t33",)}
    assert finding.proof.alone == TIMES
    assert finding.proof.after == 0
    # It fails alone, so isolation is no cure, whatever carried the state.
    assert finding.isolation_cures is False


def test_a_test_that_always_fails_is_broken_and_costs_no_search():
    world = World(TESTS, broken={"t10"})
    finding = only(world)
    assert finding.verdict is Verdict.BROKEN
    assert finding.proof == Proof(TIMES)
    assert finding.isolation_cures is None
    assert len(world.jobs) == 2 * TIMES


def test_a_test_that_fails_the_second_time_in_a_row_pollutes_itself():
    world = World(TESTS, victims={"t10": [("t10",)]})
    finding = only(world, TESTS, TESTS[::-1], [t for t in TESTS for _ in "ab"])
    assert finding.verdict is Verdict.SELF_POLLUTING
    assert finding.after == (("t10",),)
    assert finding.order == ("t10", "t10")
    assert finding.proof == Proof(0, TIMES, TIMES, TIMES)
    assert len(world.jobs) <= 30


def test_a_victim_of_others_that_pollutes_itself_too_is_a_victim():
    world = World(TESTS, victims={"t10": [("t10",), ("t20",)]})
    twice = [t for t in TESTS for _ in "ab"]
    for orders in ([TESTS[::-1], twice], [twice, TESTS[::-1]]):
        finding = only(world, TESTS, *orders)
        assert finding.verdict is Verdict.VICTIM
        assert finding.after == (("t20",), ("t10",))


def test_a_victim_that_also_ran_twice_is_a_victim():
    world = World(TESTS, victims={"t10": [("t04",)]})
    finding = only(world, TESTS[::-1], [t for t in TESTS for _ in "ab"])
    assert (finding.verdict, finding.after) == (Verdict.VICTIM, (("t04",),))


@pytest.mark.parametrize("rate", [0.02, 0.05, 0.1, 0.3, 0.5])
def test_a_test_that_guesses_is_nobodys_victim(rate):
    verdicts = set()
    for seed in range(60):
        world = World(TESTS, guessing={"t20": rate}, seed=seed)
        orders = itertools.chain.from_iterable(
            shuffles(TESTS, number, 2) for number in itertools.count()
        )
        observed = []
        for order in orders:
            observed += world.observe(order)
            if observed[-1].failed:
                break
        judgement = judge(observed, TESTS, world.run, run_alone=world.run)
        verdicts.update(each.verdict for each in judgement.findings)
    assert verdicts == {Verdict.NON_DETERMINISTIC}


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_a_victim_that_others_get_in_the_way_of_is_judged_alone(rate):
    beside = World(TESTS, guessing={"t30": 0.4}, seed=3)
    alone = World(TESTS, victims={"t30": [("t04",)]})
    if rate:
        alone = World(TESTS, guessing={"t30": rate}, seed=5)
    observed = beside.observe(*shuffles(TESTS, 1, 3))
    told = []
    judgement = judge(
        observed, TESTS, beside.run, run_alone=alone.run, on_finding=told.append
    )
    [finding] = judgement.findings
    # Nothing is said before it was looked at in quiet.
    assert told == [finding]
    assert judgement.collided == ()
    if rate:
        assert finding.verdict is Verdict.NON_DETERMINISTIC
        return
    assert finding.verdict is Verdict.VICTIM
    assert finding.after == (("t04",),)
    assert finding.proof == Proof(0, TIMES, TIMES, TIMES)
    assert judgement.cost.runs == len(beside.jobs) + len(alone.jobs)


def test_what_passes_with_nothing_beside_it_is_not_accused():
    beside = World(TESTS, guessing={"t20": 0.5, "t30": 0.5}, seed=3)
    observed = beside.observe(*shuffles(TESTS, 1, 3))
    told = []
    judgement = judge(
        observed, TESTS, beside.run, run_alone=World(TESTS).run, on_finding=told.append
    )
    assert (told, judgement.findings, judgement.unjudged) == ([], (), ())
    assert set(judgement.collided) == {"t20", "t30"}


def test_what_fails_beside_other_workers_of_the_users_own_has_not_collided():
    beside = World(TESTS, guessing={"t20": 0.5}, seed=3)
    observed = [
        *beside.observe(TESTS, TESTS[::-1]),
        *beside.observe(*shuffles(TESTS, 1, 2), neighbours=["t01"]),
    ]
    assert any(each.neighbours for each in observed if each.failed)
    judgement = judge(observed, TESTS, beside.run, run_alone=World(TESTS).run)
    [finding] = judgement.findings
    assert (finding.verdict, judgement.collided) == (Verdict.NON_DETERMINISTIC, ())


def test_without_time_for_a_quiet_look_nothing_is_said():
    beside = World(TESTS, guessing={"t20": 0.5}, seed=3)
    observed = beside.observe(*shuffles(TESTS, 1, 3))
    alone = World(TESTS)
    judgement = judge(
        observed,
        TESTS,
        beside.run,
        run_alone=alone.run,
        is_over=lambda: len(alone.jobs) >= TIMES + 1,
    )
    assert (judgement.findings, judgement.unjudged) == ((), ("t20",))


def test_a_test_that_failed_once_is_told_how_the_same_order_does():
    world = World(TESTS, guessing={"t20": 0.0})
    order, *others = world.observe(*[TESTS] * 4)
    observed = [Observed(order.order, frozenset({"t20"}), order.passed - {"t20"})]
    [finding] = judge([*observed, *others], TESTS, world.run).findings
    assert finding.verdict is Verdict.NON_DETERMINISTIC
    assert finding.replayed == Replayed(0, 6)
    assert finding.proof == Proof(0)
    assert finding.after == ()


def test_a_failure_beside_another_process_is_asked_for_beside_it():
    world = World(TESTS)
    [order] = world.observe(TESTS[:20], neighbours=TESTS[20:])
    failed = Observed(
        order.order, frozenset({"t10"}), order.passed - {"t10"}, order.neighbours
    )
    asked = []

    def run_beside(times):
        return lambda test, neighbours: asked.append((test, neighbours)) or times

    [finding] = judge([failed], TESTS, world.run, run_beside=run_beside(4)).findings
    assert finding.verdict is Verdict.CROSS_PROCESS
    assert finding.proof == Proof(0, 4)
    assert asked == [("t10", tuple(TESTS[20:]))]
    for beside in (run_beside(1), None):
        [finding] = judge([failed], TESTS, world.run, run_beside=beside).findings
        assert finding.verdict is Verdict.NON_DETERMINISTIC


def test_a_victim_of_its_own_process_is_not_called_cross_process():
    world = World(TESTS, victims={"t10": [("t03",)]})
    observed = world.observe(TESTS[:20], neighbours=TESTS[20:])

    def run_beside(test, neighbours):
        raise AssertionError(test, neighbours)

    [finding] = judge(observed, TESTS, world.run, run_beside=run_beside).findings
    assert (finding.verdict, finding.after) == (Verdict.VICTIM, (("t03",),))


def test_suspects_are_asked_first_wherever_they_stand():
    tests = [f"t{number}" for number in range(900)]
    world = World(tests, victims={"t800": [("t400",)]})
    finding = only(world, tests, suspects={"t800": ["t7", "t400"]})
    assert finding.after == (("t400",),)
    proof = next(i for i, job in enumerate(world.jobs) if len(job.tests) > 2)
    assert proof == 5 + 2 + 20


def test_who_did_it_to_one_is_asked_first_about_the_next():
    tests = [f"t{number}" for number in range(1500)]
    victims = [f"t{number}" for number in range(1000, 1013)]
    world = World(tests, victims={test: [("t300",)] for test in victims})
    found = []
    judgement = judged(
        world,
        tests,
        on_finding=lambda each: found.append((each, world.seconds)),
    )
    assert {each.after for each in judgement.findings} == {(("t300",),)}
    # One whole order of 1,500 tests takes 5 seconds.
    assert found[12][1] < 13
    assert not found[12][0].is_complete
    assert all(each.is_complete for each in judgement.findings)


@pytest.mark.parametrize("place", [0, 1, 77, 700, 1398, 1399])
@pytest.mark.parametrize("history", ["one", "reverse", "many"])
def test_a_polluter_among_1500_is_proved_in_the_time_of_two_orders(place, history):
    tests = [f"t{number}" for number in range(1500)]
    world = World(tests, victims={"t1400": [(tests[place],)]})
    orders = {
        "one": [tests],
        "reverse": [tests, tests[::-1]],
        "many": shuffles(tests, 1, 9),
    }[history]
    found = []
    judge(
        world.observe(*orders),
        tests,
        world.run,
        on_finding=lambda each: found.append((each, world.seconds, len(world.jobs))),
    )
    finding, seconds, runs = found[0]
    assert (finding.verdict, finding.after) == (Verdict.VICTIM, ((tests[place],),))
    assert seconds < 10
    assert runs < 150
    # All of them, then, takes two orders more.
    assert found[-1][1] < seconds + 12


@pytest.mark.parametrize("pair", [(0, 1399), (300, 900), (700, 710), (5, 6)])
def test_two_among_1500_are_found_in_the_time_of_a_dozen_orders(pair):
    tests = [f"t{number}" for number in range(1500)]
    needed = tuple(tests[place] for place in pair)
    world = World(tests, victims={"t1400": [needed]})
    finding = only(world, tests, tests[::-1])
    assert finding.after == (needed,)
    assert world.seconds < 12 * 5


def test_what_is_proved_is_told_before_all_is_known():
    world = World(
        TESTS, victims={"t30": [("t04",), ("t08",)], "t31": [("t04",)]}, broken={"t39"}
    )
    told = []
    judgement = judged(world, on_finding=told.append)
    assert [each.test for each in told[:3]] == ["t39", "t30", "t31"]
    assert [each.is_complete for each in told] == [True, False, False, True, True]
    assert {each.test: each for each in told} == {
        each.test: each for each in judgement.findings
    }


def test_an_interrupt_keeps_what_was_told():
    world = World(TESTS, victims={"t30": [("t04",)]}, broken={"t09"})

    def run(jobs):
        for forked in world.run(jobs):
            if len(world.jobs) > 17:
                raise KeyboardInterrupt
            yield forked

    told = []
    with pytest.raises(KeyboardInterrupt):
        judge(world.observe(TESTS), TESTS, run, on_finding=told.append)
    assert [each.test for each in told] == ["t09"]


def test_with_little_time_some_are_judged_and_not_all_of_them_begun():
    victims = {test: [(TESTS[at],)] for at, test in enumerate(TESTS[20:])}
    world = World(TESTS, victims=victims)
    judgement = judged(world, is_over=lambda: len(world.jobs) >= 150)
    assert len(judgement.findings) >= 3
    for finding in judgement.findings:
        assert finding.after == tuple(victims[finding.test])
    assert len(judgement.findings) + len(judgement.unjudged) == len(victims)


def test_what_an_earlier_run_has_judged_is_not_judged_again():
    world = World(TESTS, victims={"t30": [("t04",)], "t35": [("t05",)]})
    first = {each.test: each for each in judged(world).findings}
    assert len(first) == 2
    world.jobs.clear()
    again = judged(world, settled={"t30": first["t30"]})
    assert {each.test: each.after for each in again.findings} == {
        test: each.after for test, each in first.items()
    }
    assert {job.tests[-1] for job in world.jobs} == {"t35"}


def test_what_an_earlier_run_has_not_completed_is_completed():
    polluters = [("t04",), ("t11",)]
    world = World(TESTS, victims={"t30": polluters})
    [whole] = judged(world).findings
    part = replace(whole, after=(("t04",),), is_complete=False)
    [finding] = judged(world, settled={"t30": part}).findings
    assert set(finding.after) == set(polluters)


@pytest.mark.parametrize("limit", [0, 1, 5, 9, 12, 30, 60, 200])
def test_when_the_time_is_over_only_what_is_proved_is_told(limit):
    world = World(
        TESTS,
        victims={"t30": [("t04",), ("t08", "t09")]},
        brittle={"t20": [("t03",)]},
        guessing={"t11": 0.5},
        seed=3,
    )
    observed = world.observe(*shuffles(TESTS, 5, 3))
    failed = {test for each in observed for test in each.failed}
    judgement = judge(
        observed, TESTS, world.run, is_over=lambda: len(world.jobs) >= limit
    )
    assert {each.test for each in judgement.findings} | {*judgement.unjudged} == failed
    for each in judgement.findings:
        expected = {"t30": "victim", "t20": "brittle", "t11": "non-deterministic"}
        assert each.verdict == expected[each.test]
    # A proof that was begun is finished.
    assert len(world.jobs) <= limit + 3 * TIMES * 3


def test_what_can_not_be_run_is_left_unjudged():
    world = World(TESTS, victims={"t30": [("t04",)]})
    [seen] = world.observe(TESTS)
    name = "setUpClass (shop.Tests)"
    observed = Observed((*seen.order, name), seen.failed | {name}, seen.passed)
    judgement = judge([observed], TESTS, world.run)
    assert judgement.unjudged == (name,)
    assert [each.test for each in judgement.findings] == ["t30"]


def test_no_failure_is_no_finding_and_no_run():
    world = World(TESTS)
    judgement = judged(world)
    assert (judgement.findings, judgement.unjudged, world.jobs) == ((), (), [])


EXPECTED = {
    "victims": Verdict.VICTIM,
    "brittle": Verdict.BRITTLE,
    "guessing": Verdict.NON_DETERMINISTIC,
    "broken": Verdict.BROKEN,
}


@pytest.mark.parametrize("seed", range(300))
def test_every_verdict_is_right_in_suites_of_all_kinds(seed):
    world = random_world(seed)
    observed = world.observe(*shuffles(world.tests, seed, 1 + seed % 4))
    failed = {test for each in observed for test in each.failed}
    judgement = judge(observed, world.tests, world.run, run_alone=world.run)
    # What seldom fails may not do so when it is looked at in quiet.
    assert set(judgement.collided) <= set(world.guessing)
    found = {each.test for each in judgement.findings}
    assert found == failed - set(judgement.collided)
    for each in judgement.findings:
        [kind] = [kind for kind in EXPECTED if each.test in getattr(world, kind)]
        groups = (world.victims | world.brittle).get(each.test, [])
        expected = EXPECTED[kind]
        if groups == [(each.test,)]:
            expected = Verdict.SELF_POLLUTING
        elif kind == "brittle" and not any(each.test in one.passed for one in observed):
            expected = Verdict.BROKEN
        assert each.verdict is expected, each
        if each.after:
            found = {frozenset(group) for group in each.after}
            assert found <= {frozenset(group) for group in groups}
            if not world.cleaners.get(each.test):
                # Two cleaners may hide somebody who always stands between them.
                assert {group for group in groups if len(group) == 1} <= set(each.after)
            assert set(each.cleaners) <= world.cleaners.get(each.test, set())
            is_cured = kind == "victims" and each.test in world.by_cache
            assert each.isolation_cures is is_cured
        # Alone, everybody once, proofs, replays, and pieces for groups and cleaners.
        most = 2 * len(world.tests) + 100
        # What fails by chance is looked at twice.
        most *= 1 + (each.verdict is Verdict.NON_DETERMINISTIC)
        assert world.about[each.test] <= most
