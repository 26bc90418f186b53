from ci_cache_isolation.stress.plan import steps


def test_the_plan_has_forward_reverse_random_pairs_and_a_split_run():
    plan = list(steps(orders=3, seed=40, split=2))
    assert [step.name for step in plan] == [
        "forward",
        "reverse",
        "random 40",
        "random 40 reversed",
        "random 41",
        "split over 2",
    ]
    assert [step.index for step in plan] == list(range(6))
    assert [step.processes for step in plan] == [1, 1, 1, 1, 1, 2]


def test_without_workers_there_is_no_split_run():
    for split in (0, 1):
        names = [step.name for step in steps(orders=0, seed=1, split=split)]
        assert names == ["forward", "reverse"]
