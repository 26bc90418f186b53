"""Each command, called as people who are new to it call it: an exit code, a sentence.

What is found, why it matters and what to do is said in words, never by a traceback.
Damaged files of ours are tried elsewhere.
"""

import shutil
import subprocess
import sys
from typing import NamedTuple

import pytest

from tests.commands import own_variables

COMMANDS = {
    "audit": ("audit", "--no-confirm"),
    "doctor": ("doctor",),
    "purge": ("purge",),
    "stress": ("stress", "--orders=0", "--split=0"),
}
RUNNING = ("audit", "stress")
ASKING = ("doctor", "purge")
MANAGE = """
    import os, sys
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    execute_from_command_line(sys.argv)
    """
TESTS = """
    from django.test import SimpleTestCase

    class Tests(SimpleTestCase):
        def test_nothing(self):
            pass
    """


OF_ANOTHER = """
    from django.conf.global_settings import CACHES
    from ci_cache_isolation.settings import isolate

    CACHES = isolate(CACHES, stores={"other": "none"})
    """


class Row(NamedTuple):
    """What is done wrong, by which commands, and what they say about it."""

    commands: tuple[str, ...]
    code: int
    says: str
    arguments: tuple[str, ...] = ()
    settings: str = ""
    """Added to the settings."""
    module: str | None = None
    """The DJANGO_SETTINGS_MODULE of the environment."""
    files: tuple[str, ...] = ()
    """Empty files that are made; with a slash behind it a folder."""
    missing: tuple[str, ...] = ()
    """Packages that are not installed in the command's Python."""
    removed: tuple[str, ...] = ()
    """Files that the project has not got."""


ROWS = {
    "no such command": Row(("doctr",), 2, "Did you mean 'doctor'?"),
    "no such option": Row((*COMMANDS,), 2, "No such option", ("--nonsense",)),
    "an option of the test command": Row(
        RUNNING, 2, "go after --, as in '-- --keepdb'.", ("--keepdb",)
    ),
    "a label for a command that takes none": Row(
        ASKING, 2, "Got unexpected extra argument (shop)", ("shop",)
    ),
    "no such runner": Row((*COMMANDS,), 2, "is not one of", ("--runner=nose",)),
    "a script that is not there": Row(
        (*COMMANDS,),
        2,
        "holds no script that runs Django's tests, such as runtests.py.",
        ("--runner=script",),
    ),
    "an option of the test command that it does not know": Row(
        RUNNING, 4, "unrecognized arguments: --nonsense", ("--", "--nonsense")
    ),
    "no such module": Row(
        RUNNING, 4, "nowhere (ModuleNotFoundError: No module named", ("nowhere.tests",)
    ),
    "no such test": Row(
        RUNNING,
        4,
        "type object 'Tests' has no attribute 'test_x').",
        ("test_it.Tests.test_x",),
    ),
    "nothing to run": Row(RUNNING, 3, "No tests were found|found no tests", ("shop",)),
    "a file in place of the report's folder": Row(
        RUNNING,
        2,
        "Directory 'taken' is a file.",
        ("--report=taken",),
        files=("taken",),
    ),
    "a file in place of a folder above it": Row(
        RUNNING,
        2,
        "can't be written to taken/report:",
        ("--report=taken/report",),
        files=("taken",),
    ),
    "a file in place of a folder in it": Row(
        ("audit",),
        2,
        "can't be written to kept:",
        ("--report=kept",),
        files=("kept/notes",),
    ),
    "a file in place of the folder of orders": Row(
        ("stress",),
        2,
        "can't be written to kept:",
        ("--report=kept",),
        files=("kept/orders",),
    ),
    "a folder in place of a file of the report": Row(
        RUNNING,
        2,
        "The report can't be written to kept: Is a directory.",
        ("--report=kept",),
        files=("kept/report.json/",),
    ),
    "a folder that nobody may write to": Row(
        RUNNING,
        2,
        "The report can't be written to /proc/report:",
        ("--report=/proc/report",),
    ),
    "nothing to resume": Row(
        ("stress",), 2, "holds no run that could be resumed", ("--resume",)
    ),
    "a shard that is none": Row(("stress",), 2, "'3/2' is no shard.", ("--shard=3/2",)),
    "no order": Row(("replay",), 2, "Missing argument 'FILE'."),
    "an order that is not there": Row(
        ("replay",), 2, "nowhere holds no recorded order", ("nowhere",)
    ),
    "a folder in place of an order": Row(
        ("replay",), 2, "kept holds no recorded order", ("kept",), files=("kept/",)
    ),
    "no reports": Row(("merge",), 2, "Missing argument 'REPORTS...'."),
    "a report that is not there": Row(
        ("merge",), 2, "Path 'nowhere' does not exist.", ("nowhere",)
    ),
    "a folder without a report": Row(
        ("merge",), 2, "kept/report.json holds no report", ("kept",), files=("kept/",)
    ),
    "another folder": Row(
        (*COMMANDS,), 2, "holds no manage.py, no runtests.py", removed=("manage.py",)
    ),
    "settings that are not there": Row(
        (*COMMANDS,), 4, "No module named 'nowhere'", module="nowhere.settings"
    ),
    "a file's name for the settings": Row(
        (*COMMANDS,), 4, "No module named 'settings.py'", module="settings.py"
    ),
    "settings that raise": Row(
        (*COMMANDS,),
        4,
        "RuntimeError: no such host",
        settings="raise RuntimeError('no such host')",
    ),
    "settings that are no Python": Row(
        (*COMMANDS,), 4, "SyntaxError: ", settings="DEBUG = ("
    ),
    "settings that name no app": Row(
        (*COMMANDS,),
        4,
        "No module named 'nowhere'",
        settings="INSTALLED_APPS = ['nowhere']",
    ),
    "settings that ask us for what there is not": Row(
        ASKING, 2, "names alias 'other', which is not in CACHES", settings=OF_ANOTHER
    ),
    "settings that ask us for what there is not, in a run": Row(
        RUNNING, 4, "names alias 'other', which is not in CACHES", settings=OF_ANOTHER
    ),
    "caches that are no dictionary": Row(
        ("doctor",),
        4,
        "CACHES in the settings can't be used: TypeError",
        settings="CACHES = 5",
    ),
    "a cache that is no dictionary": Row(
        ("doctor",),
        4,
        "a cache's settings are no dictionary",
        settings="CACHES = {'default': 5}",
    ),
    "no default cache": Row(
        RUNNING, 4, "You must define a 'default' cache", settings="CACHES = {}"
    ),
    "no Django": Row(
        ("doctor", "purge"),
        4,
        "cache-isolation needs django, which is not installed",
        missing=("django",),
    ),
    # They start what imports it, and don't themselves.
    "no Django for what runs tests": Row(
        ("audit", "stress"), 4, "django", missing=("django",)
    ),
    # Their interpreters are fresh, so a few commands have to do.
    "no click": Row(
        ("audit", "doctor", "merge"),
        4,
        "cache-isolation needs click",
        missing=("click",),
    ),
    "no rich": Row(
        ("purge", "stress"),
        4,
        "pip install 'ci-cache-isolation[stress]'",
        missing=("rich",),
    ),
    "no msgspec": Row(
        ("merge", "replay"),
        4,
        "cache-isolation needs msgspec",
        missing=("msgspec",),
    ),
    "no pytest": Row(
        ("audit", "doctor"),
        2,
        "pytest is not installed beside cache-isolation",
        ("--runner=pytest",),
        missing=("pytest",),
    ),
    "no pytest-django": Row(
        ("purge", "stress"),
        2,
        "pytest-django is not installed beside cache-isolation",
        files=("pytest.ini",),
        removed=("manage.py",),
        missing=("pytest_django",),
    ),
    "no client of the cache": Row(
        ("doctor",),
        1,
        "cache 'default': can't be used: redis is not installed",
        settings="CACHES = {'default': {'BACKEND': "
        "'django.core.cache.backends.redis.RedisCache', 'LOCATION': 'redis://nowhere'}}",
        missing=("redis",),
    ),
}
PYTEST_INI = "[pytest]\nDJANGO_SETTINGS_MODULE = settings\n"
FRESH = pytest.mark.fresh_interpreter("Nothing may be imported before.")
EACH = [
    pytest.param(
        *(COMMANDS.get(name, (name,)), row),
        id=f"{name}: {what}",
        marks=[FRESH] if row.missing else [],
    )
    for what, row in ROWS.items()
    for name in row.commands
]


@pytest.fixture
def site(project):
    """A project that is as it should be."""
    del project.own["DJANGO_SETTINGS_MODULE"]
    project.write("manage", MANAGE)
    project.write("test_it", TESTS)
    (project.path / "shop").mkdir()
    return project


def command(site, *arguments, missing=(), **environment):
    """Run a command in a Python in which packages are missing."""
    source = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r})); "
        "from ci_cache_isolation.__main__ import main; main()"
    )
    return site.run("-c", source, *arguments, **environment)


@pytest.mark.parametrize(("words", "row"), EACH)
def test_a_mistake_is_answered_by_a_sentence_and_an_exit_code(site, words, row):
    if row.settings:
        site.write("settings", row.settings)
    for name in row.files:
        path = site.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_text(
            PYTEST_INI if name == "pytest.ini" else ""
        )
    for name in row.removed:
        (site.path / name).unlink()
    if row.module is not None:
        site.own["DJANGO_SETTINGS_MODULE"] = row.module
    done = command(site, *words, *row.arguments, missing=row.missing)
    said = done.stdout + done.stderr
    assert done.returncode == row.code, said
    assert any(each in said for each in row.says.split("|")), said
    assert "Traceback" not in said
    assert done.stdout if row.code == 1 else done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_is_gone_is_said_to_be(site, name, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    source = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); "
    start = "from ci_cache_isolation.__main__ import main; main()"
    done = site.run("-c", source + start, *COMMANDS[name])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cache-isolation: The folder in which this was called can't be found: No such "
        "file or directory. A command works in a project's folder. Go to one that "
        "exists.\n"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_goes_away_is_no_leak(site, name):
    script = f"{sys.executable} -m ci_cache_isolation {' '.join(COMMANDS[name])}"
    done = subprocess.run(
        # The pipe's reader is gone before anything is written.
        [shutil.which("bash"), "-c", f"({script}; echo $? >code) | true; cat code"],
        cwd=site.path,
        env=own_variables(site.own),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("130\n", "")


UNEXPECTED = """
    import ci_cache_isolation.commands.merge as merge

    def broken(_):
        raise ZeroDivisionError("of ours")

    merge.merged = broken
    from ci_cache_isolation.__main__ import main
    main()
    """


def test_an_error_of_ours_is_no_leak_either(site):
    report = site.path / "report.json"
    report.write_text("{}")
    site.write("unexpected", UNEXPECTED)
    done = site.run("unexpected.py", "merge", "report.json")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(
        "cache-isolation: ZeroDivisionError: of ours (at merge.py:"
    )
    assert done.stderr.endswith(
        "This is an error of cache-isolation's own, and nothing is judged. Please "
        "report it, with what it prints when CI_CACHE_ISOLATION_TRACEBACK=on is in "
        "front of the command.\n"
    )
    done = site.run(
        "unexpected.py", "merge", "report.json", CI_CACHE_ISOLATION_TRACEBACK="on"
    )
    assert "Traceback (most recent call last)" in done.stderr


INTERRUPTED = """
    import os, signal, sys

    events = int(sys.argv.pop(1))

    def count(event, _):
        global events
        if event in {"import", "open", "subprocess.Popen", "os.mkdir"}:
            events -= 1
            if not events:
                os.kill(os.getpid(), signal.SIGINT)

    from ci_cache_isolation.__main__ import main
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.addaudithook(count)
    main()
    # There were fewer.
    """
AT = (1, 150, 400, 700)


@FRESH
@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_at_any_moment_has_its_exit_code(site, name):
    site.write("interrupted", INTERRUPTED)
    codes = []
    for at in AT:
        done = site.run("interrupted.py", str(at), *COMMANDS[name])
        assert "Traceback" not in done.stdout + done.stderr, (at, done.stderr)
        codes.append(done.returncode)
    # From some moment on the command has come to its end before.
    ended = codes.index(codes[-1]) if codes[-1] != 130 else len(codes)
    assert ended >= 3
    assert codes[:ended] == [130] * ended
