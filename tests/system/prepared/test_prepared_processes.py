"""A prepared process does and shows what a fresh interpreter does and shows."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from tests.prepared import cloning
from tests.prepared.commands import parsed

SHOWN = """
import json, os, sys, threading
shown = {
    "argv": sys.argv,
    "orig_argv": sys.orig_argv,
    "path": sys.path,
    "folder": os.getcwd(),
    "environment": dict(os.environ),
    "name": __name__,
    "file": globals().get("__file__"),
    "package": globals().get("__package__"),
    "spec": getattr(globals().get("__spec__"), "name", None),
    "is_main": sys.modules["__main__"].__dict__ is globals(),
    "in": sys.stdin.read(),
    "encodings": [sys.stdout.encoding, sys.stderr.errors, sys.stdout.errors],
    "buffers": [sys.stdout.line_buffering, sys.stderr.line_buffering],
    "ttys": [sys.stdin.isatty(), sys.stdout.isatty()],
    "umask": os.umask(0o22),
    "parent": os.getppid(),
    "leads": [os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid()],
    "open": sorted(map(int, os.listdir("/proc/self/fd"))) if "fds" in sys.argv else [],
    "threads": threading.active_count(),
    "bytecode": sys.dont_write_bytecode,
    "tests": [name for name in sys.modules if name.split(".")[0] == "tests"],
    "settings": "django.conf" in sys.modules
    and sys.modules["django.conf"].settings.configured,
}
print(json.dumps(shown))
"""
WAYS = {
    "code": ["-c", SHOWN],
    "module": ["-m", "shown"],
    "glued": ["-mshown"],
    "package": ["-m", "shown_package"],
    "file": ["shown.py"],
    "file elsewhere": ["folder/shown.py"],
    "unbuffered": ["-u", "shown.py"],
}


@pytest.fixture
def folder(tmp_path):
    for name in ("shown.py", "folder/shown.py", "shown_package/__main__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SHOWN)
    (tmp_path / "shown_package" / "__init__.py").touch()
    return tmp_path


@pytest.fixture
def prepared(request):
    """The part of the plugin that says which processes are prepared."""
    found = request.config.pluginmanager.get_plugin("tests.prepared.plugin")
    return request.config.stash[found.KEY]


@pytest.fixture
def both(prepared, monkeypatch):
    """Run the same thing prepared and fresh; return what both came to."""

    def run(*words, **options):
        found = []
        for is_wanted in (True, False):
            monkeypatch.setattr(prepared, "is_wanted", is_wanted)
            options = {"capture_output": True, "text": True, **options}
            found.append(
                subprocess.run([sys.executable, *words], check=False, **options)
            )
        return found

    return run


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("session", [False, True])
def test_it_sees_what_an_interpreter_sees(both, folder, way, session):
    one, other = (
        json.loads(done.stdout)
        for done in both(
            *WAYS[way],
            *("two", "words"),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": "folder", "EXTRA": "an ä"},
            input="what was typed",
            start_new_session=session,
        )
    )
    assert one == other
    assert one["parent"] == os.getpid()


ENDS = {
    "quietly": "pass",
    "exit": "import sys; sys.exit(3)",
    "exit with words": "import sys; sys.exit('words')",
    "exit of a function": "import os; os._exit(4)",
    "signal": "import os; os.kill(os.getpid(), 15)",
    "interrupt": "raise KeyboardInterrupt",
    "atexit": "import atexit; atexit.register(print, 'last'); print('first')",
    "thread": (
        "import threading, time\n"
        "def late(): time.sleep(0.2); print('late')\n"
        "threading.Thread(target=late).start(); print('early')"
    ),
    "unflushed": "import sys; sys.stdout.write('no newline')",
    "raw": "import sys; sys.stdout.buffer.write(b'\\x80'.hex().encode())",
    "no module": "import nothing_of_that_name",
    "error": "def one(): raise ValueError('why')\none()",
    "fork": "import os\nif os.fork(): os.wait(); print('parent')\nelse: print('child')",
}


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_as_an_interpreter_ends(both, end):
    one, other = both("-c", ENDS[end])
    assert (one.returncode, one.stdout) == (other.returncode, other.stdout)
    # A traceback has our frames on top, and the same last line.
    assert one.stderr.splitlines()[-1:] == other.stderr.splitlines()[-1:]
    assert bool(one.stderr) == bool(other.stderr)


def test_pytest_warns_of_nothing_that_was_imported_before_it(both, tmp_path):
    (tmp_path / "test_one.py").write_text("def test_one(): pass")
    words = ("-m", "pytest", "-q", "-pno:cacheprovider", "-W", "error", "test_one.py")
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "json"}
    for done in both(*words, cwd=tmp_path, env=environment):
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout


def test_what_it_starts_is_prepared_too_and_is_its_child(both):
    one, other = both(
        "-c",
        textwrap.dedent(
            """
            import os, subprocess, sys
            inner = "import os, sys; print(os.getppid(), 'pluggy' in sys.modules)"
            done = subprocess.run(
                [sys.executable, "-c", inner], capture_output=True, text=True
            )
            parent, is_prepared = done.stdout.split()
            print(int(parent) == os.getpid(), is_prepared)
            """
        ),
    )
    assert (one.stdout, other.stdout) == ("True True\n", "True False\n")


def test_a_fork_of_it_starts_children_of_its_own(both):
    code = """
        import os, subprocess, sys
        if os.fork():
            os.wait()
        else:
            inner = "import os; print(os.getppid())"
            done = subprocess.run(
                [sys.executable, "-c", inner], capture_output=True, text=True
            )
            print(int(done.stdout) == os.getpid(), flush=True)
            os._exit(0)
        """
    one, other = both("-c", textwrap.dedent(code))
    assert one.stdout == other.stdout == "True\n"


def test_files_are_handed_on_under_their_numbers(both):
    reading, writing = os.pipe()
    os.write(writing, b"words for two")
    code = f"import os; print(os.read({reading}, 5), os.get_inheritable({reading}))"
    one, other = both("-c", code, pass_fds=[reading])
    os.close(reading)
    os.close(writing)
    assert one.stdout == "b'words' True\n"
    assert other.stdout == "b' for ' True\n"


def test_no_other_file_is_open_in_it(both, folder):
    one, other = (
        json.loads(done.stdout)["open"]
        for done in both("shown.py", "fds", cwd=folder, stdin=subprocess.DEVNULL)
    )
    # One more: the way to the spare that starts what it starts.
    assert len(one) == len(other) + 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_signal_reaches_it_and_its_spare_goes_with_it(prepared, number):
    code = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
    assert prepared.is_wanted
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        assert int(process.stdout.readline()) == process.pid
        process.send_signal(number)
        assert process.wait(30) == -number
        # Nobody of its group is left who would hold its output open.
        assert process.stdout.read() == b""


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["-W", "error", "-c", "pass"], {}),
        (["-I", "file.py"], {}),
        (["missing.py"], {}),
        (["-c"], {}),
        ([], {}),
        (["-c", "pass"], {"PYTHONHASHSEED": "1"}),
        (["-c", "pass"], {"PYTHONWARNINGS": "always"}),
        (["-c", "pass"], {"PYTHONSTARTUP": "x"}),
    ],
)
def test_what_only_a_start_can_do_gets_an_interpreter(words, environment, tmp_path):
    (tmp_path / "file.py").touch()
    words = [sys.executable, *words]
    assert parsed(words, str(tmp_path), environment, sys.executable) is None


@pytest.mark.fresh_interpreter("it is what is asked for")
def test_a_mark_gets_an_interpreter(prepared):
    assert not prepared.is_wanted


@pytest.mark.fresh_interpreter("one that has prepared nothing yet")
def test_it_outlives_the_thread_that_first_needed_it():
    code = """
    import subprocess, sys, threading
    from tests.prepared.plugin import Prepared
    prepared = Prepared()
    prepared.is_wanted = True
    def start():
        subprocess.run([sys.executable, "-c", "print('ran')"], check=True)
    for _ in range(3):
        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
    prepared.end()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n" * 3, "")


def test_the_id_of_a_thread_is_found_where_any_thread_has_it():
    # Half of an address in the record of a process may be the process's id.
    libc = ctypes.PyDLL(None)
    libc.pthread_self.restype = ctypes.c_void_p
    offset = cloning._offset_of_thread_id()
    found = []

    def look():
        at = libc.pthread_self() + offset
        found.append((ctypes.c_int32.from_address(at).value, threading.get_native_id()))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for each in threads:
        each.start()
        each.join()
    look()
    assert all(kept == own for kept, own in found)
