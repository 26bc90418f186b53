"""The template: what it makes of answers, and which answers it refuses."""

import json
import re
from functools import partial
from itertools import combinations

import pytest

from tests.generated import rows
from tests.generated.diagnosed import assert_doctor_finds_nothing
from tests.generated.in_process import made_from
from tests.generated.rows import TEMPLATE
from tests.generated.twice import assert_the_same_twice, files_of, generated

RUNNERS = ["django", "pytest"]
ROWS = rows.all_rows()
SOME = rows.sample(ROWS, 3)


@pytest.fixture
def generate(tmp_path):
    return partial(generated, tmp_path)


def test_every_pair_of_answers_occurs_in_a_row():
    choices = rows.choices().items()
    possible = {
        ((name, answer), (other, another))
        for (name, answers), (other, others) in combinations(choices, 2)
        for answer in answers
        for another in others
    }
    assert rows.pairs(ROWS) == possible


def test_the_first_row_is_the_defaults_and_names_tell_rows_apart():
    defaults = json.loads((TEMPLATE / "cookiecutter.json").read_text())
    assert ROWS[0] == {name: defaults[name] for name in rows.choices()}
    assert len(set(map(rows.name_of, ROWS))) == len(ROWS)


def test_a_sample_has_both_runners_of_tests_and_of_checks():
    chosen = rows.sample(ROWS, 3)
    assert chosen[0] == ROWS[0]
    for name in ("runner", "database", "drf", "task_runner", "ci", "minimum_python"):
        assert {row[name] for row in chosen} == set(rows.choices()[name])


@pytest.mark.parametrize("row", SOME, ids=map(rows.name_of, SOME))
def test_generated_twice_is_byte_identical_and_holds_nothing_of_the_machine(
    tmp_path, row
):
    assert_the_same_twice(row, tmp_path)


@pytest.mark.parametrize("row", SOME, ids=map(rows.name_of, SOME))
def test_doctor_finds_nothing_amiss_in_a_generated_project(tmp_path, row):
    assert_doctor_finds_nothing(row, tmp_path)


def test_without_ci_there_is_no_workflow(generate):
    _, output = generate("ci=none")
    assert not list(output.rglob(".github"))
    text = b"".join(files_of(output).values())
    assert b"workflow" not in text
    assert b"zizmor" not in text


@pytest.mark.parametrize("runner", RUNNERS)
def test_only_the_chosen_runners_files_are_there(generate, runner):
    _, output = generate(f"runner={runner}")
    names = {path.name for path in files_of(output)}
    assert ("conftest.py" in names) == (runner == "pytest")
    assert {"manage.py", "noxfile.py", "pyproject.toml", "README.md"} <= names
    assert not any("%" in name or "{" in name for name in names)


def test_a_name_in_any_script_makes_a_package_that_imports(generate):
    done, output = generate("project_name=Café & Söhne, Ltd. (2+1)")
    assert done.returncode == 0, done.stderr
    [project] = output.iterdir()
    assert project.name == "cafe_sohne_ltd_2_1"
    assert (project / project.name / "settings" / "test.py").is_file()


HOSTILE = [
    "it's",
    'a "quote"',
    "{{ 7*7 }}",
    "{% raw %}",
    "{# x #}",
    "two\nlines",
    "back\\slash",
    "$(touch owned)",
    "`touch owned`",
    "; touch owned",
    "<script>",
    "%(x)s",
    " leading",
    "trailing ",
    "\t",
    "",
    "x" * 500,
    "\x1b[31m",
    "a: b # c",
]


@pytest.mark.parametrize("answer", HOSTILE)
@pytest.mark.parametrize("name", ["project_name", "project_slug", "runner", "ci"])
def test_hostile_answers_are_refused_before_anything_is_made(tmp_path, name, answer):
    refusal = made_from({name: answer}, tmp_path)
    assert re.search(rf"^({name} |An answer is )", refusal), refusal
    assert "Answer " in refusal
    assert list((tmp_path / "out").iterdir()) == []
    assert names_in(tmp_path) == ["cookiecutter.yaml", "out"]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("runner=; touch owned", "runner is '; touch owned', which"),
        ("project_name={{ 7*7 }}", "An answer is"),
    ],
)
def test_a_refusal_is_all_that_cookiecutter_says(generate, tmp_path, answer, found):
    done, output = generate(answer)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(found)
    assert "Answer " in done.stderr
    assert "Traceback" not in done.stderr
    assert list(output.iterdir()) == []
    assert names_in(tmp_path) == ["cookiecutter.yaml", "out"]


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("slug", "found"),
    [
        ("../x", "is '../x', which is not a lower-case Python identifier"),
        ("Shop", "is 'Shop', which is not a lower-case Python identifier"),
        ("2nd", "is '2nd', which is not a lower-case Python identifier"),
        ("my-shop", "is 'my-shop', which is not a lower-case Python identifier"),
        ("class", "is 'class', which is a word of the Python language"),
        ("json", "is 'json', which is a module of Python's standard library"),
        ("django", "is 'django', which names a part of the project or what it"),
        ("shop", "is 'shop', which names a part of the project or what it imports"),
    ],
)
def test_a_slug_that_can_be_no_package_is_refused_with_its_reason(
    tmp_path, slug, found
):
    refusal = made_from({"project_slug": slug}, tmp_path)
    assert f"project_slug {found}" in refusal
    assert "must be able to import that. Answer with 1 to 40 characters" in refusal
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "decides"),
    [
        ("runner", "which tests the project gets. Answer with django or pytest."),
        (
            "cache_backend",
            (
                "where the project's caches are. Answer with locmem, file, database, "
                "redis, valkey or memcached."
            ),
        ),
        (
            "database",
            "where the project's tables are. Answer with sqlite or postgresql.",
        ),
        ("drf", "whether the project has an API. Answer with no or yes."),
        ("task_runner", "what runs the checks. Answer with nox or tox."),
        ("ci", "whether the project gets a workflow. Answer with github or none."),
        (
            "minimum_python",
            "which Python the project needs. Answer with 3.11, 3.12 or 3.13.",
        ),
    ],
)
def test_an_unknown_choice_is_refused_with_the_known_ones(tmp_path, name, decides):
    assert made_from({name: "nose"}, tmp_path) == (
        f"{name} is 'nose', which this template does not know. It decides {decides}"
    )
