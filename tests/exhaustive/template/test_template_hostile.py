"""Answers of any kind: refused before anything is written, or the project is valid."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from tests.generated.in_process import made_from
from tests.generated.rows import choices
from tests.generated.validity import assert_valid

PIECES = (
    *("{{ 7*7 }}", "{% raw %}", "{#", "#}", "{{ cookiecutter }}", "%}", "}}"),
    *('"', "'", '"""', "'''", "\\", "\n", "\r", "\t", "\0", "\x1b[31m", "\u202e"),
    *("$(touch owned)", "`touch owned`", "; touch owned", "| touch owned", "&&"),
    *("import os; os.mknod('owned')", "__import__('os').mknod('owned')"),
    *("../", "/", "/tmp/owned", "~", "..", ".", "*", "%(x)s", "<script>", "&amp;"),
    *(": ", "# ", "- ", "[x]", "{x}", "!!python/object", "&a", "*a", "---", "@", "-h"),
    *("class", "django", "json", "shop", "Café", "名前", "é", "_", "1", "a", " "),
)
HOSTILE = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=5).map("".join),
    st.text(max_size=70),
)
LETTERS = st.characters(categories=["L", "M", "N"])
NAME = st.text(LETTERS | st.sampled_from(" .,-&()+_"), min_size=1, max_size=60)
SLUG = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
CHOICES = choices()
ANSWERS = st.tuples(
    st.fixed_dictionaries(
        {name: st.sampled_from(values) for name, values in CHOICES.items()}
    ),
    st.fixed_dictionaries(
        {}, optional={"project_name": NAME | HOSTILE, "project_slug": SLUG | HOSTILE}
    ),
    # Were each of the choices hostile, none would ever get through.
    st.just({})
    | st.builds(
        lambda name, answer: {name: answer}, st.sampled_from([*CHOICES]), HOSTILE
    ),
).map(lambda parts: parts[0] | parts[1] | parts[2])


@pytest.fixture(scope="module")
def sandbox():
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    yield folder
    shutil.rmtree(folder)


@settings(max_examples=300)
@given(answers=ANSWERS)
@example(answers={"project_slug": 40 * "x", "database": "postgresql"})
@example(answers={"project_slug": "x", "database": "postgresql"})
def test_any_answers_are_refused_or_make_a_valid_project(sandbox, answers):
    shutil.rmtree(sandbox)
    refusal = made_from(answers, sandbox)
    written = {path.name for path in (sandbox / "out").iterdir()}
    assert {path.name for path in sandbox.iterdir()} <= {
        *("cookiecutter.yaml", "out", "own")
    }
    event("generated" if refusal is None else "refused")
    if refusal is not None:
        assert "Answer " in refusal
        assert not written
        return
    [project] = written
    assert project == answers.get("project_slug", project)
    assert not list(sandbox.rglob("owned"))
    assert_valid(sandbox / "out")
