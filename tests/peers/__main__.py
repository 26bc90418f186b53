"""The command: fetch, run, compare, say; ``nox -s peers`` calls it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.peers import comparing, sdists, table
from tests.peers.catalogue import SUITES, Peer, Suite, chosen
from tests.peers.comparing import Comparison, Expected
from tests.peers.running import Broken, Workshop

SAME, DIFFERENT, USAGE, CANNOT_RUN = 0, 1, 2, 4
EXPECTED = Path(__file__).with_name("expected.toml")


def main() -> int:
    """Compare the suites that were asked for; return the exit code."""
    options = parsed()
    suites = chosen(options.suites)
    if not suites:
        say(f"No suite is named {' or '.join(options.suites)}. These are there:")
        say(*(f"  {suite.name}" for suite in SUITES))
        return USAGE
    if options.list:
        say(*(suite.name for suite in suites))
        return SAME
    try:
        workshops = {
            peer.name: prepared(peer, options)
            for peer in dict.fromkeys(suite.peer for suite in suites)
        }
    except Broken as error:
        say(str(error))
        return CANNOT_RUN
    expected = comparing.read_expected(EXPECTED)

    def compared(suite: Suite) -> Comparison | Broken:
        workshop = workshops[suite.peer.name]
        try:
            comparison = compare(workshop, suite, expected)
        except Broken as error:
            say(f"{suite.name}: can't run")
            return error
        say(f"{suite.name}: {table.verdict(comparison)}")
        return comparison

    with ThreadPoolExecutor(options.at_once) as pool:
        done = list(pool.map(compared, suites))
    comparisons = [each for each in done if isinstance(each, Comparison)]
    broken = [each for each in done if isinstance(each, Broken)]
    say("", *table.lines(comparisons, versions(workshops.values())))
    say(*(f"\n{error}" for error in broken))
    if broken:
        return CANNOT_RUN
    return SAME if all(each.is_as_expected for each in comparisons) else DIFFERENT


def compare(
    workshop: Workshop, suite: Suite, expected: Iterable[Expected]
) -> Comparison:
    """Run a suite without, with, without isolation; once more each if that differs.

    What differs only now and then is unstable and no difference.
    """
    without = [workshop.run(suite, isolated=False)]
    isolated = [workshop.run(suite, isolated=True)]
    without.append(workshop.run(suite, isolated=False))
    comparison = comparing.compare(suite.name, without, isolated, expected)
    if not comparison.is_as_expected:
        isolated.append(workshop.run(suite, isolated=True))
        without.append(workshop.run(suite, isolated=False))
        comparison = comparing.compare(suite.name, without, isolated, expected)
    return comparison


def prepared(peer: Peer, options: argparse.Namespace) -> Workshop:
    """Fetch a peer's source and make its virtual environment."""
    say(f"{peer.name}: preparing")
    try:
        source = sdists.unpacked(peer, options.cache, fetch=options.fetch)
    except sdists.NoTests as error:
        raise Broken(str(error)) from error
    workshop = Workshop(peer, source, options.cache)
    workshop.install()
    return workshop


def versions(workshops: Iterable[Workshop]) -> dict[str, str]:
    """Return the versions of the peers, by name."""
    return {each.peer.name: each.source.version for each in workshops}


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="nox -s peers --", description=__doc__)
    parser.add_argument(
        "suites", nargs="*", help="suites, or how their names begin (default: all)"
    )
    parser.add_argument("--list", action="store_true", help="list the suites")
    parser.add_argument(
        "--fetch", action="store_true", help="look for newer sdists than those kept"
    )
    parser.add_argument(
        "--at-once",
        type=int,
        # They sleep most of the time, waiting for entries to expire.
        default=2 * (os.cpu_count() or 1),
        help="suites that run at the same time (default: %(default)s)",
    )
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for downloads and logs"
    )
    options = parser.parse_args()
    # Suites run elsewhere.
    options.cache = options.cache.resolve()
    return options


def say(*lines: str) -> None:
    """Print lines at once, also from a thread."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
