"""Command lines that a prepared process can stand for, and how it becomes one."""

import gc
import importlib
import multiprocessing.process
import os
import runpy
import signal
import sys
import time
import warnings
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from types import ModuleType

__all__ = ["HASH_SEED", "Command", "parsed"]

HASH_SEED = "0"
# What the interpreter reads from its environment and a copy can follow.
_FOLLOWED = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED"}


@dataclass(frozen=True)
class Command:
    """``python -m name``, ``python -c code`` or ``python file``, with its arguments."""

    kind: str
    what: str
    arguments: list[str]
    words: list[str]
    folder: str
    environment: dict[str, str]
    is_unbuffered: bool = False
    descriptors: list[int] = field(default_factory=list)
    """The numbers that its open files get."""
    has_session: bool = False
    group: int = -1

    def run(self, base):
        """Be this command, in the ``__main__`` that it sees; ``base`` is sys.path."""
        self._take_its_place(base)
        for name in [*sys.modules]:
            if name == "tests" or name.startswith("tests."):
                # These modules are ours; a project may have others of that name.
                del sys.modules[name]
        main = ModuleType("__main__")
        main.__builtins__ = __builtins__
        main.__spec__ = None
        sys.modules["__main__"] = main
        if self.kind == "-m":
            # An interpreter hasn't imported what it is about to run.
            is_package = hasattr(sys.modules.get(self.what), "__path__")
            sys.modules.pop(f"{self.what}.__main__" if is_package else self.what, None)
            runpy._run_module_as_main(self.what)
        elif self.kind == "-c":
            exec(compile(self.what, "<string>", "exec"), vars(main))  # noqa: S102
        else:
            main.__file__ = self.what
            main.__loader__ = loader = SourceFileLoader("__main__", self.what)
            source = loader.get_data(self.what)
            exec(compile(source, self.what, "exec"), vars(main))  # noqa: S102

    def _take_its_place(self, base):
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        time.tzset()
        # What their modules read once, when they were imported.
        multiprocessing.process.ORIGINAL_DIR = self.folder
        importlib.invalidate_caches()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv[:] = [self.kind if self.kind != "file" else self.what, *self.arguments]
        sys.orig_argv[:] = self.words
        sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
        first = {"-c": "", "-m": self.folder, "file": os.path.dirname(self.what)}
        if self.kind == "file":
            first["file"] = os.path.join(self.folder, first["file"])
        added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        added = [os.path.abspath(each) for each in added if each]
        sys.path[:] = [os.path.normpath(first[self.kind] or "."), *added, *base]
        if self.kind == "-c":
            sys.path[0] = ""
        _open_standard_streams(
            self.is_unbuffered or bool(os.environ.get("PYTHONUNBUFFERED"))
        )
        # As if nobody had warned yet, whatever was imported.
        warnings.onceregistry.clear()
        gc.enable()


def parsed(words, folder, environment, executable):
    """Return the command that words stand for, or None: it needs an interpreter.

    That is: another program or other options of Python's, a variable that only a
    starting interpreter reads, another hash seed, a folder or an archive to be run.
    """
    if os.fsdecode(words[0]) != executable or any(
        name.startswith("PYTHON") and name not in _FOLLOWED
        for name in environment
        if name != "PYTHONHASHSEED"
    ):
        return None
    if environment.get("PYTHONHASHSEED", HASH_SEED) not in {HASH_SEED, "random"}:
        return None
    words = [os.fsdecode(word) for word in words]
    rest = words[1:]
    is_unbuffered = rest[:1] == ["-u"]
    if is_unbuffered:
        del rest[0]
    if not rest:
        return None
    kind, *arguments = rest
    if kind[:2] in {"-m", "-c"} and len(kind) > 2:
        kind, arguments = kind[:2], [kind[2:], *arguments]
    if kind in {"-m", "-c"}:
        if not arguments:
            return None
        what = arguments.pop(0)
    elif kind.startswith("-") or not os.path.isfile(os.path.join(folder, kind)):
        return None
    else:
        kind, what = "file", kind
    return Command(kind, what, arguments, words, folder, environment, is_unbuffered)


def _open_standard_streams(is_unbuffered):
    """Open new ones on what are files 0, 1 and 2 now, as a start of Python does."""
    sys.stdin = sys.__stdin__ = open(0, closefd=False)
    for number, name, errors in ((1, "stdout", "strict"), (2, "stderr", None)):
        raw = open(number, "wb", 0 if is_unbuffered else -1, closefd=False)
        stream = _text(raw, errors or "backslashreplace", is_unbuffered)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _text(raw, errors, is_unbuffered):
    from io import TextIOWrapper  # noqa: PLC0415

    is_line_buffered = errors == "backslashreplace" or raw.isatty()
    stream = TextIOWrapper(
        raw,
        errors=errors,
        line_buffering=is_line_buffered,
        write_through=is_unbuffered,
    )
    stream.mode = "w"
    return stream
