"""The templates as people answer them: one question after another, typed."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.existing import TEMPLATE as EXISTING
from tests.existing import made_pytest_site, made_site
from tests.generated.rows import TEMPLATE

NUMBER = "runner is '2', which this template does not know."


@pytest.fixture
def typed(tmp_path):
    """Answer cookiecutter's questions, a line each, in the folder ``here``."""
    here = tmp_path / "here"
    here.mkdir()
    config = tmp_path / "cookiecutter.yaml"
    config.write_text(
        f"cookiecutters_dir: {tmp_path / 'templates'}\n"
        f"replay_dir: {tmp_path / 'replay'}\n"
    )

    def answered(template, *answers, options=(), folder=here):
        return subprocess.run(
            [
                *(sys.executable, "-m", "cookiecutter", *options),
                *(f"--config-file={config}", str(template)),
            ],
            cwd=folder,
            input="".join(f"{answer}\n" for answer in answers),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    answered.here = here
    return answered


def test_a_wrong_answer_is_refused_at_once_and_asked_for_again(typed):
    answers = ["My Shop", "", "2", "django", *[""] * 6]
    done = typed(TEMPLATE, *answers)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(NUMBER)
    assert "Answer with django or pytest.\n  runner [django]: " in done.stderr
    assert done.stderr.count("which this template does not know") == 1
    assert (typed.here / "my_shop" / "manage.py").is_file()


def test_each_kind_of_answer_is_asked_for_again(typed):
    done = typed(
        *(TEMPLATE, "a/b", "Shop", "class", "shop_1", "", "", "", "", "", "GitHub"),
        *("none", "2.7", "3.12"),
    )
    assert done.returncode == 0, done.stderr
    refused = [
        line.partition(" is ")[0].rpartition(": ")[2].strip()
        for line in done.stderr.splitlines()
        if " is " in line
    ]
    assert refused == ["project_name", "project_slug", "ci", "minimum_python"]
    text = (typed.here / "shop_1" / "pyproject.toml").read_text()
    assert 'requires-python = ">=3.12"' in text
    assert not (typed.here / "shop_1" / ".github").exists()


def test_who_types_no_more_gets_nothing_made(typed):
    done = typed(TEMPLATE, "", "", "2")
    assert done.returncode == 1
    assert done.stderr.startswith(NUMBER)
    assert "Traceback" not in done.stderr
    assert list(typed.here.iterdir()) == []


def test_in_an_existing_project_answers_are_held_against_it_at_once(typed):
    site = made_site(typed.here)
    done = typed(
        *(EXISTING, "backend", ".", "nose", "django", "mysite.nothing"),
        *("mysite.settings", "'", ""),
        options=["-f"],
    )
    assert done.returncode == 0, done.stderr
    for text in (
        f"folder is 'backend', and there is none in {typed.here}.",
        "runner is 'nose', which this template does not know.",
        f"settings is 'mysite.nothing', and no such module is in {typed.here} and ",
        "install is \"'\", which can't be arguments of pip.",
    ):
        assert done.stderr.count(text) == 1
    assert (site.folder / "mysite" / "settings_cache_isolation.py").is_file()


def test_settings_may_be_left_out_where_pytest_knows_them(typed):
    made_pytest_site(typed.here)
    done = typed(EXISTING, "", "", "1a", "", "", options=["-f"])
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("settings is '1a', which is no dotted name") == 1


@pytest.mark.parametrize("task_runner", ["tox", "nox"])
def test_what_is_said_to_be_next_says_where_the_package_is(typed, task_runner):
    done = typed(TEMPLATE, "", "", "pytest", "redis", "", "", task_runner, "", "")
    assert done.returncode == 0, done.stderr
    _, _, said = done.stdout.partition("Next:\n\n")
    lines = [line.strip() for line in said.splitlines()[:4]]
    folder, install, export, check = map(shlex.split, lines)
    assert folder == ["cd", "corner_shop"]
    assert install[-1] == ("tox" if task_runner == "tox" else "nox[uv]")
    name, _, value = export[1].partition("=")
    assert name == "CI_CACHE_ISOLATION_SOURCE"
    assert value == (
        "ci-cache-isolation[stress,pytest,server] @ " + TEMPLATE.parent.as_uri()
    )
    if task_runner == "tox":
        assert check == ["tox", "-e", "stress"]
        shown = subprocess.run(
            [sys.executable, "-m", "tox", "config", "-e", "stress", "-k", "deps"],
            cwd=typed.here / "corner_shop",
            env=os.environ | {name: value},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        assert f"deps = {value}" in shown.stdout


@pytest.mark.parametrize(("task_runner", "is_said"), [("tox", True), ("nox", False)])
def test_nox_finds_a_clone_beside_the_project_by_itself(
    typed, tmp_path, task_runner, is_said
):
    clone = tmp_path / "clone"
    (clone / "ci_cache_isolation").mkdir(parents=True)
    (clone / "ci_cache_isolation" / "__init__.py").touch()
    shutil.copytree(TEMPLATE, clone / "template")
    answers = ["", "", "", "", "", "", task_runner, "", ""]
    done = typed(clone / "template", *answers, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ("export CI_CACHE_ISOLATION_SOURCE" in done.stdout) == is_said
