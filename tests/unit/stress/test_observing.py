"""Orders that are run, and what is kept of them."""

import errno
from types import SimpleNamespace

from ci_cache_isolation.stress.observing import Observing
from ci_cache_isolation.stress.plan import Kind, Shard, Step
from ci_cache_isolation.stress.results import Cache, End, Run, StressResult


class FullDisk:
    """A file of the run on a disk where there is no space left."""

    asked = 0

    def add(self, run):
        self.asked += 1
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_run_goes_on_where_it_can_not_be_kept_for_resuming_and_says_so_once(tmp_path):
    shown = []
    result = StressResult("django", Cache.SHARED, 1, Shard(1, 1))
    request = SimpleNamespace(
        cache=Cache.SHARED,
        shard=Shard(1, 1),
        wishes=SimpleNamespace(orders=2, twice=False, split=0),
    )
    observing = Observing(
        None,
        request,
        result,
        tmp_path,
        SimpleNamespace(run=lambda *run: shown.append(run)),
        recording=None,
    )
    observing.file = file = FullDisk()
    runs = [
        Run(Step(index, Kind.RANDOM, 1), Cache.SHARED, End.FINISHED, 1.0)
        for index in (0, 1)
    ]
    for run in runs:
        observing._keep(run)
    assert result.runs == runs
    assert [(number, of) for _, number, of in shown] == [(1, 4), (2, 4)]
    assert file.asked == 1
    [remark] = result.remarks
    assert remark.startswith("This run can't be resumed: No space left on device")
