"""Establishes by brute force which tests change which others' outcome.

``python brute_force.py [--runner django|pytest] [--jobs N] [LABELS]`` sets up once,
isolation off. Then each test runs alone, and each other test runs behind it, in forks
of their own: one process runs A and forks again for each B. In memory the fork is the
copy; files are copied, and on a server each fork has a key prefix of its own. Groups of
polluters and cleaners are tried as `truth.toml` names them. What differs from it is
printed, and the exit status is 1.
"""

import argparse
import gc
import itertools
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import unittest
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

# Before anything imports the settings.
os.environ["CI_CACHE_ISOLATION"] = "off"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "corpus.settings")

import django
import pytest
import truth

PASSED, FAILED = 0, 1
WORDS = {PASSED: "passes", FAILED: "fails"}


class DjangoSuite:
    """The tests as Django's runner finds them. `run` leaves the last class set up."""

    def __init__(self) -> None:
        from django.test.runner import DiscoverRunner  # noqa: PLC0415
        from django.test.utils import iter_test_cases  # noqa: PLC0415

        runner = DiscoverRunner(verbosity=0, interactive=False)
        runner.setup_test_environment()
        self.tests = {test.id(): test for test in iter_test_cases(runner.build_suite())}
        runner.setup_databases()
        self.result = unittest.TestResult()
        # As within a suite that goes on: no tear-down of the class at the end.
        self.result._testRunEntered = True

    def run(self, name: str) -> int:
        """Run a test after those that ran before in this process."""
        result = self.result
        before = len(result.failures) + len(result.errors)
        unittest.TestSuite([self.tests[name]]).run(result)
        return FAILED if len(result.failures) + len(result.errors) > before else PASSED


class Beside:
    """A next item in the same module and class: what is set up there stays so."""

    def __init__(self, item: pytest.Item) -> None:
        self.parent = item.parent

    def listchain(self) -> list[object]:
        """Return the nodes down to this one, as pytest's nodes do."""
        return [*self.parent.listchain(), self]


class PytestSuite:
    """The tests as pytest finds them; a plugin, for what shall be done with them."""

    def __init__(self, then: Callable[["PytestSuite"], object]) -> None:
        self.then = then
        self.tests: dict[str, pytest.Item] = {}
        self.failures = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Set the database up in this process, then go on."""
        self.tests = {item.nodeid: item for item in session.items}
        module = session.items[0].getparent(pytest.Module)
        first = pytest.Function.from_parent(module, name="first", callobj=set_up)
        self._run(first, nextitem=Outside(session))
        assert not self.failures
        # It would show each outcome of each fork.
        session.config.pluginmanager.unregister(name="terminalreporter")
        self.then(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what went wrong."""
        self.failures += report.failed

    def run(self, name: str) -> int:
        """Run a test after those that ran before in this process."""
        item, before = self.tests[name], self.failures
        # What only the tests before needed; the hook would have done it, knowing this.
        item.session._setupstate.teardown_exact(item)
        self._run(item, nextitem=Beside(item))
        return FAILED if self.failures > before else PASSED

    def _run(self, item: pytest.Item, nextitem: object) -> None:
        protocol = item.config.hook.pytest_runtest_protocol
        protocol(item=item, nextitem=nextitem)


class Outside(Beside):
    """A next item in no module: only what belongs to the session stays set up."""

    def __init__(self, session: pytest.Session) -> None:
        self.parent = session


def set_up(django_db_setup: None) -> None:
    """Ask for what the whole session needs."""


class Forks:
    """Runs sequences of tests, each in a process of its own."""

    def __init__(self, suite: DjangoSuite | PytestSuite, directory: Path) -> None:
        self.suite = suite
        self.directory = directory

    def outcome(self, *names: str) -> int:
        """Return how the last of some tests ends, run in this order."""
        process = os.fork()
        if not process:
            exit_with(lambda: self._run_all(names))
        return status_of(process)

    def load_modules(self) -> None:
        """Import here what the tests import when they run, or each fork would."""
        receiving, sending = os.pipe()
        process = os.fork()
        if not process:
            exit_with(lambda: self._send_modules(sending))
        os.close(sending)
        with os.fdopen(receiving) as pipe:
            names = json.load(pipe)
        assert status_of(process) == PASSED
        for name in names:
            with suppress(ImportError):
                import_module(name)

    def outcomes_after(self, name: str) -> dict[str, int]:
        """Return how each other test ends behind this one, which runs only once."""
        receiving, sending = os.pipe()
        process = os.fork()
        if not process:
            exit_with(lambda: self._send_outcomes_after(name, sending))
        os.close(sending)
        with os.fdopen(receiving) as pipe:
            text = pipe.read()
        assert status_of(process) == PASSED, f"no outcomes behind {name}"
        # A server's contents can't be forked: both run in one process.
        together = {other: self.outcome(name, other) for other in self._on_server(name)}
        return json.loads(text) | together

    def _send_outcomes_after(self, name: str, sending: int) -> int:
        self._run_all([name])
        end_threads()
        others = self.suite.tests.keys() - {name} - self._on_server(name)
        found = {other: self.outcome(other) for other in others}
        with os.fdopen(sending, "w") as pipe:
            json.dump(found, pipe)
        return PASSED

    def _on_server(self, name: str) -> set[str]:
        """Return the tests that may meet what this one leaves on a server."""
        if not needs_server(name):
            return set()
        return {other for other in self.suite.tests if needs_server(other)} - {name}

    def _send_modules(self, sending: int) -> int:
        before = set(sys.modules)
        self._run_all(list(self.suite.tests))
        with os.fdopen(sending, "w") as pipe:
            json.dump([name for name in sys.modules if name not in before], pipe)
        return PASSED

    def _run_all(self, names: list[str] | tuple[str, ...]) -> int:
        own_stores(self.directory)
        return [self.suite.run(name) for name in names][-1]


def own_stores(directory: Path) -> None:
    """Give this process files and keys of its own; what is in the files is copied."""
    from django.core.cache import caches  # noqa: PLC0415

    unique = uuid.uuid4().hex
    files = caches.settings["files"]
    if Path(files["LOCATION"]).is_dir() and os.listdir(files["LOCATION"]):  # noqa: PTH208
        shutil.copytree(files["LOCATION"], directory / unique)
    files["LOCATION"] = str(directory / unique)
    for alias in truth.SERVERS:
        if alias in caches.settings:
            caches.settings[alias]["KEY_PREFIX"] = unique
    for alias in ("files", *truth.SERVERS):
        with suppress(AttributeError):
            del caches[alias]


def end_threads() -> None:
    """End asgiref's idle threads: where there are any, forking is not safe."""
    gc.collect()
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(timeout=1)


def needs_server(name: str) -> bool:
    """Return whether what a test leaves is out of this process's reach."""
    return any(f"test_{server}" in name for server in truth.SERVERS)


def exit_with(work: Callable[[], int]) -> None:
    """End a forked process with what the work comes to: no clean-up, it is a copy."""
    status = 2
    try:
        status = work()
    except BaseException:  # noqa: BLE001 -- it ends here in any case
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(status)


def status_of(process: int) -> int:
    """Wait for a fork. Whoever dies of something else than a test ends all this."""
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert status in (PASSED, FAILED), f"a fork ended with status {status}"
    return status


def all_outcomes(forks: Forks, jobs: int) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield each test with the outcomes of all others behind it."""
    names = list(forks.suite.tests)
    workers = []
    for number in range(jobs):
        receiving, sending = os.pipe()
        process = os.fork()
        if not process:
            os.close(receiving)
            exit_with(lambda: send_all(forks, names[number::jobs], sending))  # noqa: B023
        os.close(sending)
        workers.append((process, receiving))
    for process, receiving in workers:
        with os.fdopen(receiving) as pipe:
            for line in pipe:
                yield tuple(json.loads(line))
        assert status_of(process) == PASSED


def send_all(forks: Forks, names: list[str], sending: int) -> int:
    """Write a line for each of some tests."""
    with os.fdopen(sending, "w") as pipe:
        for name in names:
            print(json.dumps([name, forks.outcomes_after(name)]), file=pipe, flush=True)
    return PASSED


class Judge:
    """Compares what is found with what is planted, for all tests or for some."""

    def __init__(self, forks: Forks, runner: str, *, is_part: bool) -> None:
        self.forks = forks
        self.known = forks.suite.tests.keys()
        self.leaks = truth.leaks(runner)
        self.harmless = truth.harmless(runner)
        if is_part:
            self.leaks = [each for each in self.leaks if each.tests <= self.known]
            self.harmless = [each for each in self.harmless if each.tests <= self.known]
        self.brittle = truth.brittle(runner)
        self.alone: dict[str, int] = {}
        self.found: set[tuple[str, str]] = set()

    def differences(self, jobs: int) -> Iterator[str]:
        """Yield what is not as `truth.toml` says, a line each."""
        for each in (*self.leaks, *self.harmless):
            for name in each.tests - self.known:
                yield f"{each.name}: no test {name}"
        yield from self._alone()
        yield from self._pairs(jobs)
        for leak in self.leaks:
            yield from self._groups(leak)
            yield from self._cleaners(leak)

    def _alone(self) -> Iterator[str]:
        self.alone = {name: self.forks.outcome(name) for name in self.known}
        for name, outcome in self.alone.items():
            if outcome != (FAILED if name in self.brittle else PASSED):
                yield f"alone: {name} {WORDS[outcome]}"

    def _pairs(self, jobs: int) -> Iterator[str]:
        for first, outcomes in all_outcomes(self.forks, jobs):
            for second, outcome in outcomes.items():
                if outcome != self.alone[second]:
                    self.found.add((first, second))
        expected = truth.changing_pairs(self.leaks)
        for first, second in sorted(self.found - expected):
            yield f"not planted: {second} changes after {first}"
        for first, second in sorted(expected - self.found):
            yield f"not seen: {second} {WORDS[self.alone[second]]} after {first} too"
        for each in self.harmless:
            pairs = set(itertools.product(each.left_by, each.seen_by))
            for first, second in sorted(pairs & self.found):
                yield f"{each.name}: {second} changes after {first}"

    def _groups(self, leak: truth.Leak) -> Iterator[str]:
        for order, victim in orders(leak):
            if self.forks.outcome(*order, victim) == self.alone[victim]:
                yield f"{leak.name}: {victim} does not change after {order}"

    def _cleaners(self, leak: truth.Leak) -> Iterator[str]:
        tried = itertools.product(leak.polluters, leak.cleaners, leak.victims)
        for group, cleaner, victim in tried:
            if self.forks.outcome(*group, cleaner, victim) != self.alone[victim]:
                yield f"{leak.name}: {cleaner} does not hide {group} from {victim}"


def orders(leak: truth.Leak) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each order of each group that works only together, with each victim."""
    for group, victim in itertools.product(leak.polluters, leak.victims):
        if len(group) > 1:
            yield from ((order, victim) for order in itertools.permutations(group))


def judge(suite: DjangoSuite | PytestSuite, asked: argparse.Namespace) -> int:
    """Print the differences and a summary; return the exit status."""
    began = time.monotonic()
    if asked.labels:
        labels = tuple(asked.labels)
        tests = suite.tests.items()
        suite.tests = {name: test for name, test in tests if name.startswith(labels)}
    with tempfile.TemporaryDirectory(prefix="corpus-") as directory:
        forks = Forks(suite, Path(directory))
        forks.load_modules()
        gc.collect()
        gc.freeze()
        judge = Judge(forks, asked.runner, is_part=bool(asked.labels))
        different = list(judge.differences(asked.jobs))
    count = len(suite.tests)
    different.append(
        f"{asked.runner}: {count} tests, {count * (count - 1)} ordered pairs, "
        f"{len(judge.found)} change the outcome; {len(judge.leaks)} leaks, "
        f"{len(judge.harmless)} harmless; {len(different)} differences; "
        f"{time.monotonic() - began:.0f} s"
    )
    sys.stdout.write("\n".join(different) + "\n")
    sys.stdout.flush()
    return 1 if len(different) > 1 else 0


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("labels", nargs="*", help="how ids begin (default: all)")
    parser.add_argument("--runner", choices=truth.RUNNERS, default="django")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    os.chdir(Path(__file__).parent)
    if asked.runner == "django":
        django.setup()
        return judge(DjangoSuite(), asked)
    found = []
    suite = PytestSuite(lambda suite: found.append(judge(suite, asked)))
    pytest.main(["-s", "-q", "--no-header"], plugins=[suite])
    return found[0] if found else 1


if __name__ == "__main__":
    sys.exit(main())
