"""Words that readers stumbled over stay out of the package and of its pages."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
FOLDERS = ["ci_cache_isolation", "docs", "template", ".github", "bench"]
FILES = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "noxfile.py"]
SUFFIXES = {".py", ".md", ".toml", ".yml", ".ini", ".txt", ".html", ".cfg"}
BETTER = {
    r"tell whether": "return whether",
    r"mend(?:s|ed|ing)?": "fix",
    r"(?:run|runs|ran|running) behind": "run after",
    r"behind (?:another|other|that|the last) tests?": "after another test",
    r"what stands|(?:project|suite)s? that stands?": "what exists",
    r"books|(?:was|is|are|were) written down": "the access log; recorded",
    r"looks at": "reads",
    r"nobody's hands|be a stranger": "unmanaged; isolated from its parent",
    r"doors?|wings?": "entry point; package",
}
"""Patterns of whole words, and what is said instead."""


def texts():
    paths = [HERE / name for name in FILES]
    for folder in FOLDERS:
        paths += (HERE / folder).rglob("*")
    for path in paths:
        if path.suffix in SUFFIXES and path.is_file():
            yield path.relative_to(HERE), path.read_text("utf-8")


@pytest.mark.parametrize("pattern", BETTER)
def test_a_word_is_not_used_where_there_is_a_plainer_one(pattern):
    word = re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if word.search(line)
    ]
    assert found == [], f"{BETTER[pattern]!r} is plainer"
