"""Check the answers, and the project, before anything is added to it.

As in the template for a new project, each answer is looked at when it is given. When
the folder's name is rendered, which is before anything is made and also when answers
are replayed, they are held against the project. A file that is there already gets an
empty name, which cookiecutter skips, whatever its options say about overwriting.
"""

import json
import keyword
import os
import re
import shlex
import sys
from pathlib import Path, PurePosixPath

import click

# The template for a new project is around this one.
sys.path.append(str(Path(__file__).parents[1]))

import existing_project
import local_extensions
from local_extensions import short

NOX_FILE = "noxfile_cache_isolation.py"
WORKFLOW = ".github/workflows/cache-isolation.yml"
SETTINGS = "settings_cache_isolation"
RUNNER = "runner_cache_isolation"
LONGEST = 200


class Answers(local_extensions.Answers):
    """Offers for the answers, a filter that checks them, and the search of the project."""

    defaults = json.loads(Path(__file__).with_name("cookiecutter.json").read_text())

    def __init__(self, environment):
        super().__init__(environment)
        environment.filters["checked"] = checked
        environment.globals.update(
            found_folder=lambda: existing_project.folder_of(Path()),
            found_runner=found(existing_project.runner_of),
            found_settings=found(existing_project.settings_of),
            found_requirements=lambda folder: (
                ""
                if folder_problem(folder)
                else existing_project.requirements_of(Path(), folder)
            ),
            project_of=project_of,
            words=shlex.split,
        )


    @staticmethod
    def problem(answers, name):
        """Return what is wrong with an answer, by itself and in the project here."""
        if message := rule_problem(answers, name):
            return message
        # Where cookiecutter is told to put it elsewhere, it is found when that is known.
        return project_problem(Path(), answers, name) if is_here() else ""


def is_here():
    command = click.get_current_context(silent=True)
    return command is not None and command.params.get("output_dir") in {None, "."}


def found(look):
    """Return a function that looks into a folder, if its name can be one."""
    return lambda folder, *more: (
        "" if folder_problem(folder) else look(Path(folder), *more)
    )


def checked(answers):
    """Leave cookiecutter with a message, before it makes anything, or go on."""
    names = ("folder", "runner", "settings", "install")
    problems = (rule_problem(answers, name) for name in names)
    if message := "\n".join(filter(None, problems)):
        sys.exit(message)
    return "yes"


def rule_problem(answers, name):
    """Return what is wrong with one of the answers by itself, or an empty string."""
    if name == "settings":
        return settings_problem(answers["settings"], answers["runner"])
    problem = {
        "folder": folder_problem,
        "runner": runner_problem,
        "install": install_problem,
    }[name]
    return problem(answers[name])


def project_problem(root, answers, name):
    """Return what the project has not got that an answer names, or an empty string."""
    folder = PurePosixPath(answers["folder"])
    if name == "folder" and not (root / folder).is_dir():
        return (
            f"folder is {short(answers['folder'])}, and there is none in "
            f"{root.absolute()}. Tests are run there. Call cookiecutter in the folder of "
            "the repository, and answer with a folder inside, or with a dot."
        )
    is_named = name == "settings" and answers["runner"] == "django"
    if is_named and beside_settings(root, folder, answers["settings"]) is None:
        looked_in = " and ".join(
            str((root / base).absolute()) for base in (folder, folder / "src")
        )
        return (
            f"settings is {answers['settings']!r}, and no such module is in "
            f"{looked_in}. The test settings go beside it. Call cookiecutter in the "
            "folder of the repository; folder= says where manage.py is, settings= "
            "names the module."
        )
    return ""


def project_of(answers):
    """Search the project, note what is there already, return its folder: here."""
    checked(answers)
    refuse_without_force()
    root = Path(answers["_output_dir"])
    folder = PurePosixPath(answers["folder"])
    for name in ("folder", "settings"):
        if message := project_problem(root, answers, name):
            sys.exit(message)
    places = {"nox": NOX_FILE, "workflow": WORKFLOW}
    beside = PurePosixPath()
    if answers["runner"] == "django":
        beside = beside_settings(root, folder, answers["settings"])
        places["settings"] = str(beside / f"{SETTINGS}.py")
        places["runner"] = str(beside / f"{RUNNER}.py")
    for place in places.values():
        refuse_where_no_folder_can_be(root, root / place)
    answers["_beside"] = str(beside)
    package = answers["settings"].rpartition(".")[0]
    answers["_package"] = f"{package}." if package else ""
    answers["_places"] = places
    # Not exists(): a link that leads nowhere is somebody's too.
    answers["_there"] = [
        what for what, place in places.items() if os.path.lexists(root / place)
    ]
    return "."


def refuse_without_force():
    command = click.get_current_context(silent=True)
    if command and command.params.get("overwrite_if_exists") is False:
        sys.exit(
            "--overwrite-if-exists is not given. Without it cookiecutter does not go "
            "into a folder that is there, as your project is. Say it, or -f: with this "
            "template no file is overwritten, ever."
        )


def refuse_where_no_folder_can_be(root, path):
    for parent in path.parents:
        if parent == root:
            break
        if os.path.lexists(parent) and not parent.is_dir():
            sys.exit(
                f"{parent} is no folder, and {path.name} would have to go into it. "
                "Nothing was added. Move it away, or add by hand what README.md says."
            )


def beside_settings(root, folder, settings):
    """Return the folder of a settings module, file or package; None without one."""
    *packages, module = settings.split(".")
    for base in (folder, folder / "src"):
        beside = base.joinpath(*packages)
        path = root / beside / module
        if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
            return beside
    return None


def folder_problem(folder):
    parts = folder.split("/")
    if re.fullmatch(r"[\w .-]+(/[\w .-]+)*", folder) and not (
        ".." in parts or any(part != part.strip() for part in parts)
    ):
        return ""
    return (
        f"folder is {short(folder)}, which names no folder inside the project. Tests are "
        "run there. Answer with a dot, or with names of letters, digits, spaces and "
        ". - _ with / between them, for example backend."
    )


def runner_problem(runner):
    if runner in {"django", "pytest"}:
        return ""
    return (
        f"runner is {short(runner)}, which this template does not know. It decides how "
        "the sessions run your tests. Answer with django or pytest."
    )


def settings_problem(settings, runner):
    if not settings and runner == "pytest":
        return ""
    if len(settings) <= LONGEST and all(
        part.isascii() and part.isidentifier() and not keyword.iskeyword(part)
        for part in settings.split(".")
    ):
        return ""
    return (
        f"settings is {short(settings)}, which is no dotted name of a Python module. The "
        "test settings take everything from there. Answer with the settings that your "
        "tests use now, for example mysite.settings."
    )


def install_problem(install):
    try:
        words = shlex.split(install)
    except ValueError:
        words = [""]
    if (
        len(install) <= LONGEST
        and install.isprintable()
        and all(re.match(r"[\w./-]", word) for word in words)
    ):
        return ""
    return (
        f"install is {short(install)}, which can't be arguments of pip. They tell nox "
        "what your tests need. Answer with requirements, files and groups, for example "
        "-e .[test] -r requirements-dev.txt --group test."
    )
