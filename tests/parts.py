"""``--part 2/3`` runs the second of three parts of the tests.

A hash of its id decides to which part a test belongs. So the part is the same on every
machine, and a new test leaves all others where they are. Tests that share a run, which
is what a group of xdist's is for, share a part.
"""

import argparse
from hashlib import blake2b


def part(text):
    """Return the numbers K and N of ``K/N``."""
    try:
        number, count = map(int, text.split("/"))
    except ValueError:
        number, count = 0, 0
    if not 1 <= number <= count:
        raise argparse.ArgumentTypeError(f"{text} is not K/N with 1 <= K <= N")
    return number, count


def part_of(nodeid, count):
    """Return the number of the part that a test belongs to, from 1 to ``count``."""
    digest = blake2b(nodeid.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % count + 1


def name_of(item):
    """Return what decides about a test: its group, or itself."""
    group = item.get_closest_marker("xdist_group")
    return group.args[0] if group else item.nodeid


def pytest_addoption(parser):
    parser.addoption(
        "--part",
        type=part,
        metavar="K/N",
        help="run the Kth of N parts of the tests that are selected",
    )


def pytest_report_header(config):
    if config.option.part:
        return "part: {} of {}".format(*config.option.part)
    return None


def pytest_collection_modifyitems(config, items):
    if not config.option.part:
        return
    number, count = config.option.part
    parts = {item: part_of(name_of(item), count) for item in items}
    config.hook.pytest_deselected(items=[i for i in items if parts[i] != number])
    items[:] = [item for item in items if parts[item] == number]
