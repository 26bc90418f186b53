"""``cache-isolation audit``: real suites whose leaks are known."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from fnmatch import fnmatchcase

import pytest

from tests.commands import copied
from tests.projects.corpus import truth

runners = pytest.mark.parametrize("runner", truth.RUNNERS)
LABELS = {
    "django": ["shop.test_bulk", "shop.test_classes", "shop.test_memory"],
    "pytest": [
        "shop/test_bulk.py",
        "shop/test_classes.py",
        "shop/test_functions_memory.py",
        "shop/test_memory.py",
    ],
}


@pytest.fixture
def corpus(tmp_path):
    return copied("corpus", tmp_path)


def audit(project, *arguments, **environment):
    command = ("-m", "ci_cache_isolation", "audit", *arguments)
    return project.python(*command, **environment)


def report_of(project):
    path = project.folder / ".cache-isolation" / "audit" / "report.json"
    return json.loads(path.read_text(encoding="utf-8"))


def found_in(report):
    return {
        (finding["test"], frozenset(group)): finding
        for finding in report["findings"]
        for group in finding["after"]
    }


def conflicting(report, left_by, seen_by):
    """Return the keys that some tests left and others looked at."""
    return {
        conflict["key"]
        for conflict in report["conflicts"]
        if not set(left_by).isdisjoint(each["test"] for each in conflict["left_by"])
        and not set(seen_by).isdisjoint(each["test"] for each in conflict["seen_by"])
    }


def planted(runner, modules=None):
    leaks = {
        (victim, frozenset(group)): leak
        for leak in truth.leaks(runner)
        for victim in leak.victims
        for group in leak.polluters
    }
    if modules is None:
        return leaks
    inside = re.compile("|".join(re.escape(module) for module in modules))
    return {
        (victim, group): leak
        for (victim, group), leak in leaks.items()
        if all(inside.match(name) for name in {victim, *group})
    }


def assert_is_as_planted(report, expected):
    found = found_in(report)
    assert found.keys() == expected.keys()
    for pair, leak in expected.items():
        finding = found[pair]
        assert finding["verdict"] == leak.kind
        alone, after = ("5/5", "0/5") if leak.kind == "brittle" else ("0/5", "5/5")
        if leak.function:
            assert finding["state"]["kind"] == "memoised", leak.name
            assert finding["state"]["function"] == leak.function
            proof = {"alone": alone, "after": after, "isolated": after, "reset": alone}
        else:
            assert finding["state"]["alias"] == leak.alias
            assert fnmatchcase(finding["state"]["key"], leak.key), leak.name
            proof = {"alone": alone, "after": after, "isolated": alone}
        assert finding["proof"] == proof, leak.name
        is_cured = leak.kind == "victim" and not leak.function
        assert finding["isolation_cures"] == is_cured
        assert set(leak.cleaners) <= set(finding["cleaners"]), leak.name


@runners
def test_what_is_planted_is_found_and_nothing_else(corpus, runner):
    done = audit(corpus, "--runner", runner, *LABELS[runner])
    assert (done.code, done.err) == (1, ""), done.out
    assert_is_as_planted(report_of(corpus), planted(runner, LABELS[runner]))


@pytest.mark.parametrize("kind", truth.SERVERS)
def test_what_is_planted_on_servers_is_found_and_nothing_else(
    corpus, kind, request, monkeypatch
):
    server = request.getfixturevalue(f"{kind}_server")
    monkeypatch.setenv(truth.SERVERS[kind], server.location)
    labels = [f"shop.test_{kind}"]
    done = audit(corpus, "--runner", "django", *labels)
    assert (done.code, done.err) == (1, ""), done.out
    report = report_of(corpus)
    assert_is_as_planted(report, planted("django", labels))
    for each in truth.harmless("django"):
        if each.name in {"redis-found-is-its-own", "redis-search-elsewhere"}:
            assert not conflicting(report, each.left_by, each.seen_by)


@pytest.mark.exhaustive
@runners
@pytest.mark.parametrize("processes", [1, 4])
def test_all_that_is_planted_is_found_and_nothing_else(corpus, runner, processes):
    done = audit(corpus, "--runner", runner, "--processes", processes)
    assert (done.code, done.err) == (1, ""), done.out
    assert_is_as_planted(report_of(corpus), planted(runner))


ORDERS = {
    "django": [["--reverse"], ["--shuffle", "1"]],
    "pytest": [["-p", "randomly", "--randomly-seed=1"], ["-p", "no:randomly"]],
}


@pytest.mark.exhaustive
@runners
def test_the_order_of_the_audited_run_makes_no_difference(corpus, runner):
    found = []
    for options in ORDERS[runner]:
        reverse = {"CORPUS_REVERSE": "1"} if "no:randomly" in options else {}
        done = audit(corpus, "--runner", runner, "--", *options, **reverse)
        assert (done.code, done.err) == (1, ""), done.out
        findings = found_in(report_of(corpus)).items()
        found.append(
            {
                (pair, each["state"].get("key", each["state"].get("function")))
                # Of two that are needed together either may be named.
                if len(pair[1]) == 1
                else (pair, None)
                for pair, each in findings
            }
        )
    assert found[0] == found[1]
    assert {pair for pair, _ in found[0]} == planted(runner).keys()


@runners
def test_a_printed_command_shows_the_failure_in_a_fresh_shell(corpus, runner):
    done = audit(corpus, "--runner", runner, *LABELS[runner][:1])
    replays = [each for each in report_of(corpus)["findings"] if each["replay"]]
    assert replays
    finding = replays[0]
    assert finding["replay"] in done.out
    variable, *command = shlex.split(finding["replay"])
    assert (variable, command[0]) == ("CI_CACHE_ISOLATION_SCOPE=process", "python")
    shown = corpus.python(*command[1:], CI_CACHE_ISOLATION_SCOPE="process")
    assert shown.code == 1, shown.out + shown.err
    assert finding["test"].rpartition("::")[2] in shown.out + shown.err
    cured = corpus.python(*command[1:], CI_CACHE_ISOLATION_SCOPE="test")
    assert bool(cured.code) == (finding["verdict"] == "brittle"), cured.err


@runners
def test_a_command_is_printed_also_where_settings_and_workers_are_options(
    corpus, runner
):
    (corpus.folder / "corpus" / "settings.py").rename(corpus.folder / "ci_settings.py")
    (corpus.folder / "pytest.ini").write_text(
        "[pytest]\naddopts = -p no:cacheprovider -p no:randomly -n 2"
    )
    option = {"django": "--settings=ci_settings", "pytest": "--ds=ci_settings"}[runner]
    done = audit(corpus, "--runner", runner, "--", option, LABELS[runner][0])
    assert done.code == 1, done.out + done.err
    for finding in report_of(corpus)["findings"]:
        assert option in shlex.split(finding["replay"])


@runners
def test_without_confirmation_conflicts_are_listed_and_nothing_fails(corpus, runner):
    labels = LABELS[runner][:1]
    done = audit(corpus, "--no-confirm", "--runner", runner, *labels)
    assert (done.code, done.err) == (0, "")
    report = report_of(corpus)
    assert report["findings"] == []
    assert {"alias", "key", "version", "left_by", "seen_by"} <= set(
        report["conflicts"][0]
    )
    done = audit(
        corpus,
        "--no-confirm",
        "--fail-on=possible",
        "--runner",
        runner,
        *LABELS[runner],
    )
    assert done.code == 1
    assert "looked at by" in done.out


@runners
def test_the_environment_alone_has_any_command_write_down_what_it_does(
    corpus, runner, tmp_path
):
    command = {
        "django": ("manage.py", "test", "shop.test_bulk"),
        "pytest": ("-m", "pytest", "-q", "shop/test_bulk.py"),
    }[runner]
    done = corpus.python(*command, CI_CACHE_ISOLATION_AUDIT=str(tmp_path / "journal"))
    assert done.code == 0, done.err
    [file] = (tmp_path / "journal").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700
    assert "shop" in file.read_text()


def test_an_audit_without_isolation_says_that_it_writes_nothing(corpus, tmp_path):
    done = corpus.python(
        *("-W", "always", "manage.py", "test", "shop.test_bulk"),
        CI_CACHE_ISOLATION="off",
        CI_CACHE_ISOLATION_AUDIT=str(tmp_path / "journal"),
    )
    assert "isolation is off (environment CI_CACHE_ISOLATION)" in done.err
    assert not (tmp_path / "journal").exists()


def test_no_value_of_any_entry_is_written_anywhere(corpus):
    (corpus.folder / "shop" / "test_secret.py").write_text(
        "from django.core.cache import cache\n"
        "from django.test import SimpleTestCase\n\n\n"
        "class SecretTests(SimpleTestCase):\n"
        "    def test_a(self):\n"
        "        cache.set('key', 'sesame')\n"
        "        cache.set_many({'many': 'sesame'})\n"
        "        cache.add('added', 'sesame')\n\n"
        "    def test_b(self):\n"
        "        self.assertEqual(cache.get('key', 'sesame'), 'sesame')\n"
        "        assert cache.get('many') is None\n"
    )
    done = audit(corpus, "--runner", "django", "shop.test_secret")
    assert done.code == 1
    folder = corpus.folder / ".cache-isolation"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 2
    printed = [path for path in files if path.suffix == ".log"]
    for path in set(files) - set(printed):
        assert b"sesame" not in path.read_bytes(), path


CLEANED = """\
from django.core.cache import cache
from django.test import SimpleTestCase


class CleanedTests(SimpleTestCase):
    def test_pollutes(self):
        cache.set("key", 1)

    def test_clears(self):
        cache.clear()

    def test_deletes(self):
        cache.delete_many(["key", "other"])

    def test_overwrites_and_deletes(self):
        cache.set("key", 2)
        cache.delete("key")

    def test_overwrites_in_vain(self):
        cache.set("key", 3)

    def test_only_looks(self):
        cache.get_or_set("key", 4)

    def test_is_the_victim(self):
        self.assertIsNone(cache.get("key"))
"""


def test_who_hides_a_leak_is_named(corpus):
    (corpus.folder / "shop" / "test_cleaned.py").write_text(CLEANED)
    done = audit(corpus, "--runner", "django", "shop.test_cleaned")
    findings = report_of(corpus)["findings"]
    [finding] = [each for each in findings if each["test"].endswith("victim")]
    assert {name.rpartition(".test_")[2] for name in finding["cleaners"]} == {
        "clears",
        "deletes",
        "overwrites_and_deletes",
    }
    first = finding["cleaners"][0]
    assert f"    hidden when {first} runs between, or one of 2 more" in done.out


EXPIRING = """\
from django.core.cache import cache
from django.test import SimpleTestCase


class ExpiringTests(SimpleTestCase):
    def test_a(self):
        cache.set("soon", 1, timeout=20)
        cache.set("later", 1, timeout=3600)
        cache.set("never", 1, timeout=None)

    def test_b(self):
        self.assertIsNone(cache.get("soon"))

    def test_c(self):
        self.assertIsNone(cache.get("later"))

    def test_d(self):
        cache.get("never")
"""


def test_what_expires_soon_is_marked(corpus):
    (corpus.folder / "shop" / "test_expiring.py").write_text(EXPIRING)
    done = audit(corpus, "--runner", "django", "shop.test_expiring")
    left = {
        each["key"]: each["left_by"][0]["expires_in"]
        for each in report_of(corpus)["conflicts"]
    }
    assert (left["later"], left["never"]) == (None, None)
    assert 10 < left["soon"] <= 20
    soon, later = re.findall(r"^Leak .*\n(?:  .*\n)+", done.out, re.MULTILINE)
    assert re.search(r"'soon' .*\n(?:.*\n)+  It expires [12]\S* s after that", soon)
    assert "expires" not in later


SECRET_KEYS = """\
from django.core.cache import cache
from django.test import SimpleTestCase

# A traceback shows the source.
KEY = "open-" + "ses" + "ame"


class StoringTests(SimpleTestCase):
    def test_a(self):
        cache.set(KEY, 1)
        cache.set_many({KEY + "2": 1})
        cache.add(KEY + "3", 1)
        cache.set(KEY * 18, 1, version=2)


class LookingTests(SimpleTestCase):
    def test_b(self):
        is_there = KEY in cache
        self.assertFalse(is_there)

    def test_c(self):
        self.assertEqual(len(cache.get_many([KEY, KEY + "2"])), 0)

    def test_d(self):
        cache.get(KEY * 18, version=2)

    def test_e(self):
        with self.assertRaises(ValueError):
            cache.incr(KEY + "3")


class Awkward:
    def __str__(self):
        raise RuntimeError(KEY)


class ThrowingTests(SimpleTestCase):
    def test_f(self):
        with self.assertRaises(RuntimeError):
            cache.get(Awkward())
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("asked", [["--hash-keys"], []])
def test_keys_are_hashed_where_it_is_asked_for(corpus, asked):
    (corpus.folder / "shop" / "test_secret.py").write_text(SECRET_KEYS)
    done = audit(
        corpus,
        *asked,
        *("--runner", "django", "--processes", "2", "shop.test_secret"),
        CI_CACHE_ISOLATION_HASH_KEYS=None if asked else "on",
        PYTHONWARNINGS="always",
    )
    assert done.code == 1, done.err
    report = report_of(corpus)
    assert {each["test"][-1] for each in report["findings"]} == {"b", "c", "e"}
    keys = {each["key"] for each in report["conflicts"]}
    assert len(keys) == 4
    for key in keys:
        assert re.fullmatch("key#[0-9a-f]{12}", key)
    assert {each["pattern"] for each in report["conflicts"]} == {None}
    assert re.search("^Leak 1 of .: 'key#", done.out, re.MULTILINE)
    assert "sesame" not in done.out + done.err
    folder = corpus.folder / ".cache-isolation"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"suite.log", "fork-server.log", "report.json"} < {
        path.name for path in files
    }
    for path in files:
        assert "sesame" not in path.read_text(), path
    log = next(folder.rglob("suite.log")).read_text()
    assert "The audit of this process has stopped: RuntimeError. What" in log


def test_any_command_hashes_keys_the_same_in_all_its_workers(corpus, tmp_path):
    (corpus.folder / "shop" / "test_secret.py").write_text(SECRET_KEYS)
    journals = [tmp_path / name for name in ("one", "other")]
    for journal in journals:
        done = corpus.python(
            *("-m", "pytest", "-q", "-n2", "shop/test_secret.py"),
            *("--dist", "loadscope"),
            CI_CACHE_ISOLATION_AUDIT=str(journal),
            CI_CACHE_ISOLATION_HASH_KEYS="on",
        )
        assert done.code == 0, done.out
    found = [[path.read_text() for path in each.iterdir()] for each in journals]
    assert [len(each) for each in found] == [2, 2]
    hashes = [
        [set(re.findall("key#[0-9a-f]{12}", text)) for text in each] for each in found
    ]
    for (left, looked), texts in zip(hashes, found, strict=True):
        assert left & looked
        assert "sesame" not in "".join(texts)
    assert not hashes[0][0] & hashes[1][0]


MANY_KEYS = """\
from django.core.cache import cache
from django.test import SimpleTestCase


def visit(user):
    return cache.get_or_set(f"user:{user}:visits", 1)


class VisitTests(SimpleTestCase):
    def test_a(self):
        for user in range(3):
            visit(user)

    def test_b(self):
        visit(3)
        cache.set("else", 1)

    def test_seen_0(self):
        assert "user:0:visits" not in cache

    def test_seen_1(self):
        assert "user:1:visits" not in cache

    def test_seen_3(self):
        assert "user:3:visits" not in cache
"""


def test_keys_that_differ_by_a_number_are_one_card(corpus):
    (corpus.folder / "shop" / "test_visits.py").write_text(MANY_KEYS)
    done = audit(corpus, "--runner", "django", "shop.test_visits")
    assert "Leak 1 of 1: 'user:<n>:visits' (3 keys) in cache 'default'" in done.out
    by = re.search(r"stored at shop/test_visits.py:6, by\n((?:    .+\n)+)", done.out)
    assert re.findall(r"\.(\w+)\n", by[1]) == ["test_a", "test_b"]
    victims = re.findall(r"^  shop\S+\.(\w+)\n    (.+);", done.out, re.MULTILINE)
    after = "passes alone and fails after shop.test_visits.VisitTests"
    assert victims == [
        ("test_seen_0", f"{after}.test_a"),
        ("test_seen_1", f"{after}.test_a"),
        ("test_seen_3", f"{after}.test_b"),
    ]
    conflicts = report_of(corpus)["conflicts"]
    assert {each["pattern"] for each in conflicts} == {"user:<n>:visits"}
    assert {each["key"] for each in conflicts} == {
        f"user:{n}:visits" for n in (0, 1, 3)
    }


def test_unconfirmed_keys_that_differ_by_a_number_are_one_line(corpus):
    (corpus.folder / "shop" / "test_visits.py").write_text(MANY_KEYS)
    done = audit(corpus, "--no-confirm", "--runner", "django", "shop.test_visits")
    assert re.findall(".*in cache.*", done.out) == [
        "  'user:<n>:visits' (3 keys) in cache 'default'"
    ]


HOSTILE = """\
from django.core.cache import cache
from django.test import SimpleTestCase

KEYS = ["<script>alert(1)</script>", "two\\nlines", "\\x1b[31mred", "x" * 10_000]


class HostileTests(SimpleTestCase):
    def test_a(self):
        for key in KEYS:
            cache.set(key, 1)
        cache.set(b"bytes", 1)

    def test_b(self):
        for key in [*KEYS, b"bytes"]:
            assert cache.get(key) is None
"""


@pytest.mark.filterwarnings("ignore")
def test_hostile_keys_harm_neither_terminal_nor_report(corpus):
    (corpus.folder / "shop" / "test_hostile.py").write_text(HOSTILE)
    done = audit(corpus, "--runner", "django", "shop.test_hostile")
    assert done.code == 1, done.err
    assert "\x1b" not in done.out
    keys = {conflict["key"] for conflict in report_of(corpus)["conflicts"]}
    assert len(keys) == 5
    assert max(map(len, keys)) < 300
    assert "two\nlines" in keys


def test_bad_input_gets_a_message_and_its_exit_code(corpus, tmp_path):
    assert audit(corpus, "--no-such-option").code == 2
    assert audit(corpus, "--minutes", "0").code == 2
    assert audit(corpus, CI_CACHE_ISOLATION_HASH_KEYS="perhaps").code == 2
    done = audit(corpus, CI_CACHE_ISOLATION="maybe")
    assert (done.code, "neither on nor off" in done.err) == (2, True)
    done = audit(corpus, "--runner", "django", "shop.no_such_module")
    assert (done.code, "Traceback" in done.err) == (4, False)
    assert "no_such_module (ModuleNotFoundError: No module named" in done.err
    done = audit(corpus, "--runner", "pytest", "shop/views.py")
    assert (done.code, "found no tests" in done.err) == (3, True)
    occupied = tmp_path / "occupied"
    occupied.write_text("")
    done = audit(corpus, "--report", occupied / "report")
    assert (done.code, "can't be written" in done.err) == (2, True)


HANGING = """\
import time
from django.core.cache import cache
from django.test import SimpleTestCase


class HangingTests(SimpleTestCase):
    def test_a_takes_the_lock(self):
        cache.add("lock", 1)

    def test_b_waits_for_it(self):
        while not cache.add("lock", 1):
            time.sleep(0.01)
"""


@pytest.mark.exhaustive
def test_a_test_that_hangs_after_another_is_a_leak_and_ends(corpus):
    (corpus.folder / "shop" / "test_hangs.py").write_text(HANGING)
    done = audit(corpus, "--runner", "django", "shop.test_hangs")
    assert done.code == 1, done.err
    [finding] = report_of(corpus)["findings"]
    assert finding["test"].endswith("test_b_waits_for_it")
    assert "no end within" in finding["message"]
    assert finding["replay"] is None


def test_an_interrupt_keeps_what_is_known_and_leaves_no_process(corpus):
    (corpus.folder / "shop" / "test_hangs.py").write_text(HANGING)
    process = subprocess.Popen(
        [
            *("env", "--default-signal=INT", sys.executable, "-m"),
            *("ci_cache_isolation", "audit", "--runner", "django", "shop.test_hangs"),
        ],
        cwd=corpus.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    log = corpus.folder / ".cache-isolation" / "audit" / "fork-server.log"
    while not log.exists():
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert "Interrupted: what follows is what was known until then." in out
    assert "'lock' in cache 'default'" in out
    assert report_of(corpus)["conflicts"]
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_module_that_can_not_be_imported_is_named(corpus):
    (corpus.folder / "shop" / "test_broken.py").write_text("def (")
    done = audit(corpus, "--runner", "django", "shop")
    assert done.code == 4
    assert "These can't be imported: shop.test_broken (SyntaxError: " in done.err


def test_under_pytest_too_a_module_that_can_not_be_imported_is_named(corpus):
    (corpus.folder / "shop" / "test_broken.py").write_text("import nothing_there")
    done = audit(corpus, "--runner", "pytest", "shop")
    assert done.code == 4
    found = "shop/test_broken.py: ModuleNotFoundError: No module named 'nothing_there'."
    assert f"The suite can't be run: {found}" in done.err


def test_what_was_read_is_kept_when_nothing_can_be_put_to_the_test(corpus):
    settings = next(corpus.folder.glob("*/settings.py"))
    refusing = "import os\nassert 'CI_CACHE_ISOLATION_FORKS' not in os.environ, 'no'\n"
    settings.write_text(settings.read_text() + refusing)
    done = audit(corpus, "--runner", "django", "shop.test_bulk")
    assert (done.code, "AssertionError: no" in done.err) == (4, True), done.err
    assert "Traceback" not in done.err
    assert report_of(corpus)["conflicts"]


AWKWARD = """\
from django.core.cache import cache
from django.test import SimpleTestCase


class Awkward:
    def __str__(self):
        if self.is_done:
            raise RuntimeError("not twice")
        return "awkward"

    is_done = False


class AwkwardTests(SimpleTestCase):
    def test_key(self):
        key = Awkward()
        cache.set(key, 1)
        key.is_done = True
        with self.assertRaisesMessage(RuntimeError, "not twice"):
            cache.get(key)

    def test_timeout(self):
        with self.assertRaises(TypeError):
            cache.set("key", 1, timeout="soon")
"""


CALLERS = """\
import functools
from django.conf import settings
from django.test import SimpleTestCase, override_settings


@functools.lru_cache
def shop_name():
    return settings.SHOP_NAME


class CallerTests(SimpleTestCase):
    @override_settings(SHOP_NAME="Mall")
    def test_07_in_a_mall(self):
        shop_name()


for number in range(16):

    def test(self):
        self.assertEqual(shop_name(), "Corner Shop")

    setattr(CallerTests, f"test_{number:02}", test)
"""


def test_a_function_that_many_tests_call_is_put_to_the_test_with_all_of_them(corpus):
    (corpus.folder / "shop" / "test_callers.py").write_text(CALLERS)
    done = audit(corpus, "--runner", "django", "shop.test_callers")
    assert (done.code, done.err) == (1, ""), done.out
    report = report_of(corpus)
    test = "shop.test_callers.CallerTests.test_"
    assert found_in(report).keys() == {
        (f"{test}{number:02}", frozenset({f"{test}07_in_a_mall"}))
        for number in range(16)
    }
    for finding in report["findings"]:
        assert finding["state"]["function"] == "shop.test_callers.shop_name"
        assert finding["isolation_cures"] is False
    assert (
        "Leak 1 of 1: shop.test_callers.shop_name() remembers (functools.lru_cache, "
        "shop/test_callers.py:6)"
    ) in done.out
    assert "Isolation does not cure 16 of them, which functions remember" in done.out


def test_with_memoised_functions_reset_isolation_cures_what_they_remember(corpus):
    (corpus.folder / "shop" / "test_callers.py").write_text(CALLERS)
    labels = [
        f"shop.test_callers.CallerTests.test_{name}" for name in ("07_in_a_mall", "08")
    ]
    reset = {"CI_CACHE_ISOLATION_RESET_MEMOISED": "on"}
    done = audit(corpus, "--runner", "django", *labels, **reset)
    assert (done.code, done.err) == (1, ""), done.out
    [finding] = report_of(corpus)["findings"]
    proof = {"alone": "0/5", "after": "5/5", "isolated": "0/5"}
    assert finding["proof"] == proof
    assert finding["isolation_cures"] is True
    assert finding["state"]["function"] == "shop.test_callers.shop_name"


def test_what_the_audit_can_not_write_down_fails_no_test(corpus):
    (corpus.folder / "shop" / "test_awkward.py").write_text(AWKWARD)
    done = audit(corpus, "--runner", "django", "shop.test_awkward")
    log = (corpus.folder / ".cache-isolation" / "audit" / "suite.log").read_text()
    assert done.code == 0, done.out + done.err
    assert "OK" in log
    assert "The audit of this process has stopped: RuntimeError: not twice" in log


def test_a_suite_that_uses_no_cache_is_clean(tmp_path):
    small = copied("small", tmp_path)
    done = audit(small, "--runner", "django", "cases.test_clean")
    assert (done.code, done.err) == (0, "")
    assert "0 conflicts" in done.out
