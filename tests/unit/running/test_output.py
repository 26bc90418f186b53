"""What a test command printed: the line that tells most."""

import pytest

from ci_cache_isolation.running.output import cause_in, telling_line

PYTEST_USAGE = """
ERROR: usage: python -m pytest [options] [file_or_dir] [file_or_dir] [...]
python -m pytest: error: unrecognized arguments: --foo
  inifile: /project/pytest.ini
  rootdir: /project
"""
DJANGO_USAGE = """
usage: manage.py test [-h] [--noinput] [--failfast] [--testrunner TESTRUNNER]
                      [test_label ...]
manage.py test: error: unrecognized arguments: --foo
"""
NO_FILE = """
no tests ran in 0.01s
ERROR: file or directory not found: nowhere

"""
IN_PYTEST = """
E   ModuleNotFoundError: No module named 'no_such'
1 error in 0.05s
"""


@pytest.mark.parametrize(
    ("printed", "line"),
    [
        (PYTEST_USAGE, "python -m pytest: error: unrecognized arguments: --foo"),
        (DJANGO_USAGE, "manage.py test: error: unrecognized arguments: --foo"),
        (NO_FILE, "ERROR: file or directory not found: nowhere"),
        (IN_PYTEST, "ModuleNotFoundError: No module named 'no_such'"),
        ("one\ntwo\n\n", "two"),
        ("", ""),
    ],
)
def test_the_line_that_names_an_error_tells_most(printed, line):
    assert telling_line(printed.splitlines()) == line


def test_a_cause_is_put_into_a_sentence(tmp_path):
    log = tmp_path / "log"
    log.write_text("KeyError: not here.\n", encoding="utf-8")
    assert cause_in(log) == "KeyError: not here"
