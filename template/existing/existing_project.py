"""What a project says of itself, for the answers that are offered."""

import configparser
import re
import shlex
import tomllib
from pathlib import Path

IN_MANAGE = re.compile(r"DJANGO_SETTINGS_MODULE['\"]\s*,\s*['\"]([\w.]+)['\"]")
INI_FILES = (
    ("pytest.ini", "pytest"),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
)
# Of extras, groups and files with these names the first that is there is taken.
FOR_TESTS = ("test", "tests", "testing", "dev", "development", "local", "ci")
# What is longer than an answer may be is refused, so it is not offered either.
LONGEST_OF_TOX = 120
# Of tox's lines those that are the same in every environment, names with bounds and
# files. Not Django: that is there anyway, and often bounded for one environment.
OF_TOX = re.compile(
    r"-r *[\w./-]+"
    r"|(?!django(?![\w.-]))\w[\w.-]*(\[[\w, -]+\])? *([<>=!~]{1,3} *[\w.*]+[ ,]*)*",
    re.IGNORECASE,
)


def folder_of(root):
    """Return the folder of manage.py below the root, "." where that is not clear."""
    if not (root / "manage.py").is_file() and pytest_options(root) is None:
        below = [path for path in root.glob("*/manage.py") if path.is_file()]
        if len(below) == 1:
            return below[0].parent.name
    return "."


def runner_of(folder):
    """Return pytest where it is configured for Django or there is no manage.py."""
    options = pytest_options(folder)
    if options is not None and (
        "DJANGO_SETTINGS_MODULE" in options or not (folder / "manage.py").is_file()
    ):
        return "pytest"
    return "django"


def settings_of(folder, runner):
    """Return the settings that manage.py names, nothing where pytest knows its own."""
    if runner == "pytest" and "DJANGO_SETTINGS_MODULE" in (pytest_options(folder) or {}):
        return ""
    found = IN_MANAGE.search(text_of(folder / "manage.py"))
    return found[1] if found else ""


def pytest_options(folder):
    """Return pytest's configuration, None where there is none."""
    for name, section in INI_FILES:
        if (options := ini_section(folder / name, section)) is not None:
            return options
    tools = table(pyproject_of(folder), "tool", "pytest")
    return tools.get("ini_options", tools or None)


def requirements_of(root, folder):
    """Return pip's arguments for what tests need, as far as it can be found."""
    words = requirements_in(root)
    if not words and folder != ".":
        words = requirements_in(root / folder, f"{folder}/")
    return shlex.join(words)


def requirements_in(folder, prefix=""):
    pyproject = pyproject_of(folder)
    extras = [
        *table(pyproject, "project", "optional-dependencies"),
        *(ini_section(folder / "setup.cfg", "options.extras_require") or ()),
    ]
    extra = next((each for each in FOR_TESTS if each in extras), None)
    is_package = "build-system" in pyproject or (folder / "setup.py").is_file()
    words = []
    if is_package:
        words += ["-e", f"{prefix or '.'}[{extra}]" if extra else prefix or "."]
    elif "project" in pyproject:
        words += ["-r", f"{prefix}pyproject.toml"]
        words += ["--extra", extra] if extra else []
    groups = table(pyproject, "dependency-groups")
    if group := next((each for each in FOR_TESTS if each in groups), None):
        path = f"{prefix}pyproject.toml:" if prefix else ""
        words += ["--group", f"{path}{group}"]
    files = requirement_files(folder)
    for name in files:
        words += ["-r", f"{prefix}{name}"]
    if not (extra or group or set(files) - {"requirements.txt"}):
        words += tox_requirements(folder, prefix)
    return words


def requirement_files(folder):
    """Return requirements.txt, and the first of those that are meant for tests."""
    names = [path.name for path in folder.glob("*requirements*.txt")]
    names += [f"requirements/{path.name}" for path in folder.glob("requirements/*.txt")]
    for word in FOR_TESTS:
        wanted = [name for name in sorted(names) if word in re.split(r"[\W_]", name)]
        if wanted:
            chosen = wanted[:1]
            break
    else:
        chosen = [name for name in names if name == "requirements/base.txt"]
    return ["requirements.txt"] * ("requirements.txt" in names) + chosen


def tox_requirements(folder, prefix):
    """Return what tox installs for tests, where nothing else says what they need."""
    deps = (ini_section(folder / "tox.ini", "testenv") or {}).get("deps", "")
    lines = [re.sub(r"(^|\s+)#.*", "", line) for line in deps.splitlines()]
    words = []
    for line in filter(OF_TOX.fullmatch, lines):
        if line.startswith("-r"):
            words += ["-r", prefix + line[2:].strip()]
        else:
            words.append(line.replace(" ", ""))
    return words if len(shlex.join(words)) <= LONGEST_OF_TOX else []


def ini_section(path, section):
    """Return a section of an INI file, None where there is none."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    try:
        parser.read_string(text_of(path))
    except configparser.Error:
        return None
    return dict(parser[section]) if parser.has_section(section) else None


def pyproject_of(folder):
    try:
        return tomllib.loads(text_of(folder / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return {}


def table(document, *names):
    """Return a table inside tables, an empty one where there is none."""
    for name in names:
        document = document.get(name)
        if not isinstance(document, dict):
            return {}
    return document


def text_of(path):
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError):
        return ""
