"""A worker: read a task, get ready, then measure whatever case is asked for."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable

from bench.inside import cut_off
from bench.task import Job, Task

Measure = Callable[[str, int], float]


def main() -> None:
    """Run the job of the task that the command line holds."""
    task = Task.from_json(sys.argv[1])
    # Test runners write to stdout, which is for answers only.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    if task.is_cut:
        cut_off.make_cuttable()

    def serve(measure: Measure, *, has_section: bool) -> None:
        # What is alive by now stays alive: no collection need look at it.
        gc.collect()
        gc.freeze()
        answers.write(json.dumps({"section": has_section}) + "\n")
        for line in sys.stdin:
            request = json.loads(line)
            gc.collect()
            seconds = measure(request["case"], request["loops"])
            answers.write(json.dumps({"seconds": seconds}) + "\n")

    if task.job is Job.PYTEST:
        from bench.inside import pytest_sessions as job  # noqa: PLC0415
    elif task.job is Job.SUITES:
        from bench.inside import suites as job  # type: ignore[no-redef]  # noqa: PLC0415
    else:
        from bench.inside import operations as job  # type: ignore[no-redef]  # noqa: PLC0415
    job.run(task, serve)


if __name__ == "__main__":
    main()
