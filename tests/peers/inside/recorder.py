"""Run a script or a module, and record what becomes of each unittest test.

``python recorder.py RECORD (SCRIPT | -m MODULE) ARGUMENT...``. Every result class is
reached, whatever the runner, so that the runner under test can stay as it is.
"""

import json
import runpy
import sys
import unittest
from pathlib import Path


def record_to(file):
    result_class = unittest.TestResult
    # A failing subtest is reported as it happens; the test itself then isn't passed.
    names = {
        "addSuccess": "passed",
        "addExpectedFailure": "passed",
        "addSkip": "skipped",
        "addError": "failed",
        "addFailure": "failed",
        "addUnexpectedSuccess": "failed",
    }
    for name, word in names.items():
        setattr(result_class, name, recording(getattr(result_class, name), word, file))
    add_subtest = result_class.addSubTest

    def add_sub_test(self, test, subtest, err):
        if err is not None:
            write(file, test, "failed", err)
        return add_subtest(self, test, subtest, err)

    result_class.addSubTest = add_sub_test


def recording(method, word, file):
    def add(self, test, *details):
        write(file, test, word, *details)
        return method(self, test, *details)

    return add


def write(file, test, word, detail=""):
    if isinstance(detail, tuple):
        detail = f"{detail[0].__name__}: {detail[1]}"
    file.write(json.dumps([test.id(), word, detail]) + "\n")
    file.flush()


def main():
    path, *sys.argv = sys.argv[1:]
    with Path(path).open("w", encoding="utf-8") as file:
        record_to(file)
        try:
            run()
        except SystemExit:
            end(file)
            raise
        end(file)


def run():
    if sys.argv[0] == "-m":
        del sys.argv[0]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
        runpy.run_path(sys.argv[0], run_name="__main__")


def end(file):
    # A run that is killed, or interrupted, does not get here.
    file.write("null\n")


if __name__ == "__main__":
    main()
