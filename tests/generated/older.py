"""The template as it was once: an older one, to be updated from."""

import re
from pathlib import Path

SLUG = "{{cookiecutter.project_slug}}"
NOX = "{% if cookiecutter.task_runner == 'nox' %}noxfile.py{% endif %}"
MERGE = r"@nox\.session\ndef merge\(.*?\n\n\n"
RULES = "local_extensions.py"
# As long as one another.
NEW_RULE, OLD_RULE = '"3.11", "3.12", "3.13"', '"3.10", "3.11", "3.12"'


def undo_some_changes(template: Path) -> None:
    """Make it a template that has no nightly stress, an older pin and other rules."""
    [nightly] = template.glob("*/.github/workflows/*stress.yml*")
    nightly.unlink()
    replace(template / SLUG / NOX, MERGE, "")
    [workflow] = template.glob("*/.github/workflows/*ci.yml*")
    replace(workflow, r"checkout@\S+ # v5\.0\.0", f"checkout@{40 * '0'} # v4.9.9")
    replace(template / RULES, NEW_RULE, OLD_RULE)


def replace(path: Path, pattern: str, by: str) -> None:
    """Replace the one place that a pattern matches."""
    text = path.read_text(encoding="utf-8")
    changed, number = re.subn(pattern, by, text, flags=re.DOTALL)
    assert number == 1
    path.write_text(changed, encoding="utf-8")
