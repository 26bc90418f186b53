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
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType

__all__ = ["HASH_SEED", "Command", "parsed"]

HASH_SEED = "0"
# What the interpreter reads from its environment and a copy can follow.
_FOLLOWED = {
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "PYTHONUNBUFFERED",
}
_HASH_SEEDS = {None, HASH_SEED, "random"}
_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")


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

    @property
    def starts_others(self):
        """Whether it usually starts commands of Python's, and is worth a spare.

        Others may start some, too: they get interpreters.
        """
        has_workers = any(
            each.startswith(("-n", "--numprocesses")) for each in self.words
        )
        return has_workers or not (
            (self.kind == "file" and Path(self.what).name == "manage.py")
            or (self.kind == "-m" and self.what in {"django", "pytest"})
        )

    def run(self, base):
        """Be this command, in the ``__main__`` that it sees; ``base`` is sys.path."""
        self._take_its_place(base)
        _forget_these_modules()
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
            exec(compile(self.what, "<string>", "exec"), vars(main))
        else:
            path = Path(self.folder, self.what)
            main.__file__ = str(path)
            main.__loader__ = SourceFileLoader("__main__", self.what)
            exec(compile(path.read_bytes(), self.what, "exec"), vars(main))

    def _take_its_place(self, base):
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        time.tzset()
        # What these modules read once, when they were imported.
        multiprocessing.process.ORIGINAL_DIR = self.folder
        importlib.invalidate_caches()
        warnings.onceregistry.clear()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv[:] = [self.what if self.kind == "file" else self.kind, *self.arguments]
        sys.orig_argv[:] = self.words
        sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
        first = {
            "-c": "",
            "-m": self.folder,
            "file": str(Path(self.folder, self.what).parent),
        }
        added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        added = [str(Path(self.folder, each)) for each in added if each]
        sys.path[:] = [first[self.kind], *added, *base]
        is_unbuffered = self.is_unbuffered or "PYTHONUNBUFFERED" in os.environ
        _open_standard_streams(is_unbuffered=is_unbuffered)
        gc.enable()


def parsed(words, folder, environment, executable):
    """Return the command that words stand for, or None: it needs an interpreter.

    That is: another program or other options of Python's, a variable that only a
    starting interpreter reads, another hash seed, a folder or an archive to be run.
    """
    words = [os.fsdecode(word) for word in words]
    of_python = {name for name in environment if name.startswith("PYTHON")}
    if (
        words[0] != executable
        or not of_python <= _FOLLOWED
        or environment.get("PYTHONHASHSEED") not in _HASH_SEEDS
        or any(environment.get(name) != os.environ.get(name) for name in _LOCALE)
    ):
        return None
    rest = words[1:]
    is_unbuffered = rest[:1] == ["-u"]
    if is_unbuffered:
        del rest[0]
    if rest and len(rest[0]) > 2 and rest[0][:2] in {"-m", "-c"}:
        rest[:1] = [rest[0][:2], rest[0][2:]]
    if len(rest) > 1 and rest[0] in {"-m", "-c"}:
        kind, what, *arguments = rest
    elif rest and not rest[0].startswith("-") and Path(folder, rest[0]).is_file():
        kind, (what, *arguments) = "file", rest
    else:
        return None
    return Command(kind, what, arguments, words, folder, environment, is_unbuffered)


def _forget_these_modules():
    """A project may have modules of the names that these have."""
    for name in [*sys.modules]:
        if name == "tests" or name.startswith("tests."):
            del sys.modules[name]


def _open_standard_streams(*, is_unbuffered):
    """Open new ones on what are files 0, 1 and 2 now, as a start of Python does."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        before = getattr(sys, f"__{name}__")
        is_read = number == 0
        is_raw = is_unbuffered and not is_read
        mode = "rb" if is_read else "wb"
        raw = open(number, mode, 0 if is_raw else -1, closefd=False)  # noqa: SIM115
        stream = TextIOWrapper(
            raw,
            before.encoding,
            before.errors,
            line_buffering=not is_raw and (name == "stderr" or raw.isatty()),
            write_through=is_raw,
        )
        stream.mode = mode[0]
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
