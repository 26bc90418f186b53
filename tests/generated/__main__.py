"""The command: generate projects, run their checks; ``nox -s template`` calls it."""

import argparse
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.generated.project import FailedError, Project, generate
from tests.generated.rows import Row, all_rows, name_of, sample
from tests.servers import running, running_postgres

GREEN, RED, USAGE = 0, 1, 2
SAMPLE = 3
CHECKS = ("lint", "tests", "coverage", "stress")
# The whole suite has more leaks than these, and to prove each of them takes minutes.
OFFERS = {"django": "tests.test_offers", "pytest": "tests/test_offers.py"}
PLANTED = "nothing_is_off_without_an_offer"


def main() -> int:
    """Check the projects that were asked for; return the exit code."""
    rows = {name_of(row): row for row in all_rows()}
    options = parsed()
    if options.list:
        say("\n".join(rows))
        return GREEN
    if unknown := [name for name in options.rows if name not in rows]:
        say(f"No row is named {' or '.join(unknown)}. --list shows their names.")
        return USAGE
    if options.rows:
        chosen = [rows[name] for name in options.rows]
    elif options.all:
        chosen = list(rows.values())
    elif options.shard:
        number, count = options.shard
        chosen = list(rows.values())[number - 1 :: count]
    else:
        chosen = sample(list(rows.values()), SAMPLE)
    failed = [name_of(row) for row in chosen if not is_green(row)]
    say(" ".join([f"{len(failed)} of {len(chosen)} not as expected.", *failed]))
    return RED if failed else GREEN


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s template --", description=__doc__)
    parser.add_argument("--all", action="store_true", help="not only a sample")
    parser.add_argument(
        "--shard", type=shard, metavar="K/N", help="the Kth of N parts of all"
    )
    parser.add_argument("--list", action="store_true", help="show what rows there are")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="a row, by its name")
    return parser.parse_args()


def shard(text: str) -> tuple[int, int]:
    number, count = map(int, text.split("/"))
    if not 1 <= number <= count:
        raise ValueError(text)
    return number, count


def is_green(row: Row) -> bool:
    """Return whether a project does what it should, and say what it does not."""
    name = name_of(row)
    say(f"== {name}")
    folder = Path(tempfile.mkdtemp(prefix="generated-"))
    begin = time.monotonic()
    try:
        check(generate(row, folder), row)
    except FailedError as error:
        say(f"== {name}: {error}")
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say(f"== {name}: as expected, {time.monotonic() - begin:.0f} s")
    return True


def check(project: Project, row: Row) -> None:
    """Run a project's checks, and then its tests with isolation off."""
    if row["ci"] == "github":
        schema = ("check-jsonschema", "--builtin-schema", "github-workflows")
        project.run(*schema, *map(str, project.workflows()))
    with ExitStack() as servers:
        if row["database"] == "postgresql":
            database = servers.enter_context(running_postgres()).database
            for key in ("HOST", "PORT", "USER", "NAME"):
                project.environment[f"DATABASE_{key}"] = database[key]
        offers = OFFERS[row["runner"]]
        project.check(*CHECKS)
        project.check("audit", arguments=[offers])
        project.run_in("stress", "cache-isolation", "doctor")
        # Isolation is what starts private servers: without it there must be one.
        if row["cache_backend"] in {"redis", "valkey", "memcached"}:
            server = servers.enter_context(running(row["cache_backend"]))
            project.environment["CACHE_URL"] = server.location
            project.run_in("tests", *project.test_command())
        say("With isolation off the suite looks well, and stress finds the leaks.")
        project.environment["CI_CACHE_ISOLATION"] = "off"
        settings = f"{project.folder.name}.settings.test"
        project.environment["DJANGO_SETTINGS_MODULE"] = settings
        project.run_in("tests", *project.test_command())
        stress = ("cache-isolation", "stress", "--runner", row["runner"], "--seed=1")
        output = project.run_in("stress", *stress, offers, expected=1)
        if PLANTED not in output:
            raise FailedError(f"stress does not name {PLANTED}, a planted victim")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
