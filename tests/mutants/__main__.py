"""The command: choose, record, try, say; ``nox -s mutants`` calls it."""

from __future__ import annotations

import argparse
import queue
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from tests.mutants import table
from tests.mutants.levels import LEVELS
from tests.mutants.mutant import PACKAGE, Mutant, differs, mutants_of
from tests.mutants.options import parsed
from tests.mutants.picking import Picker, imports
from tests.mutants.processes import Stopped
from tests.mutants.reach import Reach
from tests.mutants.recording import digest, record
from tests.mutants.results import Result, Results, share
from tests.mutants.selecting import PACKAGES, select, sharded
from tests.mutants.slots import PROJECT, Broken, Slot
from tests.mutants.trying import Trial

ENOUGH, TOO_FEW, USAGE, CANNOT_RUN, NOT_ALL_TRIED, INTERRUPTED = 0, 1, 2, 4, 5, 130
# sys.monitoring.
OLDEST_PYTHON = (3, 12)


def main() -> int:
    """Try the mutants that were asked for; return the exit code."""
    options = parsed()
    sources = {
        str(path.relative_to(PROJECT)): path.read_text()
        for path in sorted((PROJECT / PACKAGE).rglob("*.py"))
    }
    mutants = chosen(options, sources)
    if not mutants:
        say(f"No mutant is named {' or '.join(options.only or ['so'])}.")
        return USAGE
    if options.list:
        for mutant in mutants:
            source = sources[mutant.path]
            say(
                mutant.id, f"  - {mutant.before(source)}", f"  + {mutant.after(source)}"
            )
        return ENOUGH
    stop = Event()
    try:
        return tried(options, mutants, sources, stop)
    except Broken as error:
        say(str(error))
        return CANNOT_RUN
    except (KeyboardInterrupt, Stopped):
        say("Interrupted; --resume goes on.")
        return INTERRUPTED


def chosen(options: argparse.Namespace, sources: dict[str, str]) -> list[Mutant]:
    """Return the mutants to try, in their order."""
    mutants = [
        mutant
        for path, source in sources.items()
        if path.split("/")[1] in PACKAGES
        for mutant in mutants_of(source, path)
    ]
    if options.only:
        return [mutant for mutant in mutants if mutant.id in options.only]

    def is_real(mutant: Mutant) -> bool:
        return differs(mutant, sources[mutant.path])

    selected = select(mutants, options.number, options.seed, is_real)
    return sharded(selected, *options.shard)


def tried(
    options: argparse.Namespace,
    mutants: Sequence[Mutant],
    sources: dict[str, str],
    stop: Event,
) -> int:
    """Record what was not yet, try each mutant, and say what was found."""
    if sys.version_info < OLDEST_PYTHON:
        raise Broken("Lines are noted by sys.monitoring, which Python 3.12 brought.")
    keys = {level: digest(paths) for level, paths in options.paths.items()}
    all_paths = [path for paths in options.all_paths.values() for path in paths]
    about = {"project": digest(all_paths), "most": options.most}
    results = Results(options.out, about)
    if options.resume and not results.resume():
        raise Broken(f"{options.out} is about another state of the project.")
    imported_by = imports(sources)
    pickers = {}
    for level, key in keys.items():
        reach = recorded(level, options.cache / f"{level}-{key}.json", options, stop)
        pickers[level] = Picker(reach, imported_by, options.most)
    trial = Trial(pickers, options.patience)
    waiting = []
    for mutant in mutants:
        result = results.by_id.get(mutant.id)
        if result is None or not result.is_known(options.paths):
            waiting.append((mutant, result or untried(mutant, sources[mutant.path])))
    with slots(min(options.processes, len(waiting)), stop) as free:

        def try_one(mutant: Mutant, result: Result) -> Result:
            slot = free.get()
            try:
                return trial.try_out(mutant, result, slot)
            finally:
                free.put(slot)

        with ThreadPoolExecutor(options.processes) as pool:
            try:
                trials = [pool.submit(try_one, *each) for each in waiting]
                for number, done in enumerate(as_completed(trials), 1):
                    results.add(done.result())
                    say(table.progress(done.result(), number, len(trials)))
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
    found = [results.by_id[mutant.id] for mutant in mutants]
    say("", *table.lines(found, list(options.paths)))
    least, most = share(found, LEVELS)
    if least >= table.GOAL:
        return ENOUGH
    return TOO_FEW if most < table.GOAL or least == most else NOT_ALL_TRIED


def recorded(level: str, path: Path, options: argparse.Namespace, stop: Event) -> Reach:
    """Return what the tests of a level run, which is recorded once."""
    if not path.exists():
        say(f"{level}: recording which lines its tests run")
        with slots(options.processes, stop, is_recording=True) as free:
            all_ = [free.get() for _ in range(options.processes)]
            record(options.paths[level], all_, stop).write(path)
    reach = Reach.read(path)
    if not reach.tests:
        raise Broken(f"No test of {level} passes.")
    say(f"{level}: {len(reach.tests)} tests, {len(reach.left_out)} are left out")
    say(*table.left_out(reach.left_out))
    return reach


@contextmanager
def slots(
    number: int, stop: Event, *, is_recording: bool = False
) -> Iterator[queue.Queue[Slot]]:
    """Have so many slots, as long as the context lasts."""
    with tempfile.TemporaryDirectory(
        prefix="mu-", ignore_cleanup_errors=True
    ) as folder:
        # Servers that tests start as another user have to get through.
        Path(folder).chmod(0o711)
        free: queue.Queue[Slot] = queue.Queue()
        for index in range(number):
            home = Path(folder).resolve() / str(index)
            home.mkdir()
            free.put(Slot(home, stop, is_recording=is_recording))
        yield free


def untried(mutant: Mutant, source: str) -> Result:
    """Return the result of a mutant to which nothing was done yet."""
    return Result(
        mutant.id,
        f"{mutant.path}:{mutant.lines[0]}",
        mutant.mutator,
        mutant.before(source),
        mutant.after(source),
    )


def say(*lines: str) -> None:
    """Print lines at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
