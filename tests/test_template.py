"""The template: what it makes of answers, and which answers it refuses."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.exhaustive

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "template"
RUNNERS = ["django", "pytest"]


@pytest.fixture
def generate(tmp_path):
    def run(*answers, name="out"):
        config = tmp_path / "cookiecutter.yaml"
        config.write_text(
            f"cookiecutters_dir: {tmp_path / 'templates'}\n"
            f"replay_dir: {tmp_path / 'replay'}\n"
        )
        output = tmp_path / name
        output.mkdir(exist_ok=True)
        command = [
            *(sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"),
            *(f"--config-file={config}", f"--output-dir={output}", *answers),
        ]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return done, output

    return run


def files_of(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("runner", RUNNERS)
def test_generated_twice_is_byte_identical_and_holds_nothing_of_the_machine(
    generate, runner
):
    done, first = generate(f"runner={runner}", name="first")
    assert done.returncode == 0, done.stderr
    assert "nox -s stress" in done.stdout
    _, second = generate(f"runner={runner}", name="second")
    files = files_of(first)
    assert files == files_of(second)
    text = b"".join(files.values())
    for word in (str(ROOT), str(Path.home()), str(first), "cookiecutter"):
        assert word.encode() not in text
    assert all(content.endswith(b"\n") for content in files.values() if content)


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
@pytest.mark.parametrize("name", ["project_name", "project_slug", "runner"])
def test_hostile_answers_are_refused_before_anything_is_made(
    generate, tmp_path, name, answer
):
    done, output = generate(f"{name}={answer}")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert re.search(rf"^({name} |An answer is )", done.stderr), done.stderr
    assert "Answer " in done.stderr
    assert list(output.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("cookiecutter.yaml", "out")
    ]


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
    generate, slug, found
):
    done, output = generate(f"project_slug={slug}")
    assert done.returncode == 1
    assert f"project_slug {found}" in done.stderr
    assert "must be able to import that. Answer with 1 to 40 characters" in done.stderr
    assert list(output.iterdir()) == []


def test_an_unknown_runner_is_refused_with_the_known_ones(generate):
    done, _ = generate("runner=nose")
    assert done.returncode == 1
    assert done.stderr == (
        "runner is 'nose', which this template does not know. It decides which tests "
        "the project gets. Answer with django or pytest.\n"
    )
