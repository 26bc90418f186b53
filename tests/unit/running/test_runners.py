import importlib.util
import sys

import pytest

from ci_cache_isolation.running.runners import NoRunnerError, runner_named

UNKNOWN = (
    "holds no manage.py, no runtests.py and no pytest configuration with "
    "DJANGO_SETTINGS_MODULE, and that variable is not set, so it is unknown how its "
    "tests are run."
)
NOWHERE = (
    "Go to the folder of manage.py, or name the settings of your tests, as in "
    "DJANGO_SETTINGS_MODULE=tests.settings, in front of this command."
)


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)


def name_of(folder):
    return runner_named("auto", folder).name


def test_manage_py_means_django(tmp_path):
    (tmp_path / "manage.py").touch()
    assert name_of(tmp_path) == "django"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = x"),
        ("tox.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = x"),
        ("setup.cfg", "[tool:pytest]\nDJANGO_SETTINGS_MODULE = x"),
        ("pyproject.toml", '[tool.pytest.ini_options]\nDJANGO_SETTINGS_MODULE = "x"'),
        ("pyproject.toml", '[tool.pytest]\nDJANGO_SETTINGS_MODULE = "x"'),
    ],
)
def test_pytest_configuration_with_settings_means_pytest(tmp_path, file, text):
    (tmp_path / "manage.py").touch()
    (tmp_path / file).write_text(text)
    assert name_of(tmp_path) == "pytest"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\naddopts = -q"),
        ("setup.cfg", "nonsense"),
        ("pyproject.toml", "nonsense ["),
        ("pyproject.toml", "[tool.ruff]"),
    ],
)
def test_other_configuration_does_not(tmp_path, file, text):
    (tmp_path / "manage.py").touch()
    (tmp_path / file).write_text(text)
    assert name_of(tmp_path) == "django"


def test_settings_in_the_environment_mean_django(tmp_path, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "x")
    assert name_of(tmp_path) == "django"
    (tmp_path / "conftest.py").touch()
    assert name_of(tmp_path) == "pytest"


@pytest.mark.parametrize(
    ("file", "text", "settings"),
    [
        ("conftest.py", "def pytest_configure():\n    settings.configure()", ""),
        ("tests/conftest.py", "django.conf.settings.configure(A=1)", ""),
        (
            "conftest.py",
            "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'tests.settings')",
            "tests.settings",
        ),
        ("pytest.ini", "[pytest]\naddopts = -q --ds=shop.ci", "shop.ci"),
        ("tox.ini", "[pytest]\naddopts = --ds shop.ci -q", "shop.ci"),
        ("pyproject.toml", '[tool.pytest]\naddopts = ["--ds", "shop.ci"]', "shop.ci"),
        ("pytest.toml", '[pytest]\nDJANGO_SETTINGS_MODULE = "shop.ci"', "shop.ci"),
        (
            ".pytest.ini",
            "[pytest]\naddopts = --ds=shop.ci\nDJANGO_SETTINGS_MODULE = shop.dev",
            "shop.ci",
        ),
    ],
)
def test_settings_are_known_where_pytest_finds_them(tmp_path, file, text, settings):
    (tmp_path / "tests").mkdir()
    (tmp_path / file).write_text(text)
    runner = runner_named("auto", tmp_path)
    assert (runner.name, runner.settings()) == ("pytest", settings)


@pytest.mark.parametrize("text", ["[pytest]\naddopts = --ds", "[pytest]\naddopts = '"])
def test_addopts_that_pytest_refuses_name_no_settings(tmp_path, text):
    (tmp_path / "manage.py").touch()
    (tmp_path / "pytest.ini").write_text(text)
    assert name_of(tmp_path) == "django"


def test_only_the_first_configuration_of_pytest_counts(tmp_path):
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "tox.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = x")
    (tmp_path / "manage.py").touch()
    assert name_of(tmp_path) == "django"


def test_settings_of_the_environment_come_between_those_of_pytest(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "environment")
    file = tmp_path / "pytest.ini"
    file.write_text("[pytest]\nDJANGO_SETTINGS_MODULE = ini")
    assert runner_named("auto", tmp_path).settings() == "environment"
    file.write_text("[pytest]\naddopts = --ds=option")
    assert runner_named("auto", tmp_path).settings() == "option"


@pytest.mark.parametrize(
    ("manage", "settings"),
    [
        ("os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.dev')", "shop.dev"),
        ('os.environ["DJANGO_SETTINGS_MODULE"] = "shop.dev"', "shop.dev"),
        ("", ""),
    ],
)
def test_settings_are_those_that_manage_py_names(tmp_path, manage, settings):
    (tmp_path / "manage.py").write_text(manage)
    assert runner_named("auto", tmp_path).settings() == settings


@pytest.mark.parametrize("name", ["runtests.py", "tests/runtests.py", "run_tests.py"])
@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("settings.configure()\nDiscoverRunner().run_tests(['tests'])", ""),
        (
            "os.environ['DJANGO_SETTINGS_MODULE'] = 'a.b'; get_runner(settings)()",
            "a.b",
        ),
        ("execute_from_command_line([sys.argv[0], 'test'])", ""),
    ],
)
def test_a_script_that_runs_djangos_tests_is_a_runner(tmp_path, name, text, settings):
    (tmp_path / "tests").mkdir()
    (tmp_path / name).write_text(text)
    runner = runner_named("auto", tmp_path)
    assert (runner.name, runner.settings()) == ("script", settings)
    assert runner.own_command(["-v2"]) == [sys.executable, name, "-v2"]
    assert runner.command(["-v2"], 1)[3:] == ["ordered", name, "-v2"]
    assert runner.fork_command(["-v2"])[3:] == ["forking", name, "-v2"]
    assert runner.replay_command(["tests.T.test_a"], []) == []
    assert runner.why_no_split() == f"{name} decides itself how many workers it has"
    assert runner.failed_in("FAIL: test_a (tests.T.test_a)\n") == ["tests.T.test_a"]


def test_a_script_that_runs_no_tests_of_djangos_is_none(tmp_path):
    (tmp_path / "runtests.py").write_text("pytest.main()")
    with pytest.raises(NoRunnerError):
        name_of(tmp_path)
    with pytest.raises(NoRunnerError) as caught:
        runner_named("script", tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} holds no script that runs Django's tests, such as runtests.py. "
        f"{NOWHERE}"
    )


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(NoRunnerError) as caught:
        name_of(tmp_path)
    assert str(caught.value) == f"{tmp_path} {UNKNOWN} {NOWHERE}"


@pytest.mark.parametrize(
    ("here", "there", "command"),
    [
        ("", "backend", "cd backend"),
        ("", "src/a shop", "cd 'src/a shop'"),
        ("tests", "", "cd .."),
        ("shop/tests/unit", "shop", "cd ../.."),
    ],
)
def test_a_folder_nearby_that_runs_tests_is_suggested(tmp_path, here, there, command):
    for each in (".hidden", "venv", "aaa"):
        (tmp_path / each).mkdir()
    for each in (".hidden", "venv"):
        (tmp_path / each / "manage.py").touch()
    (tmp_path / here).mkdir(parents=True, exist_ok=True)
    (tmp_path / there).mkdir(parents=True, exist_ok=True)
    (tmp_path / there / "manage.py").touch()
    with pytest.raises(NoRunnerError) as caught:
        name_of(tmp_path / here)
    found = tmp_path / there
    assert str(caught.value) == (
        f"{tmp_path / here} {UNKNOWN} {found} does: go there first ({command})."
    )


def test_what_is_above_a_repository_is_not_suggested(tmp_path):
    (tmp_path / "manage.py").touch()
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "tests").mkdir()
    for folder in (tmp_path / "repository", tmp_path / "repository" / "tests"):
        with pytest.raises(NoRunnerError) as caught:
            name_of(folder)
        assert str(caught.value) == f"{folder} {UNKNOWN} {NOWHERE}"


def test_a_project_of_pytest_whose_pytest_django_is_missing_is_one_of_pytest(
    tmp_path, monkeypatch
):
    (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = x")
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: None if name == "pytest_django" else name,
    )
    with pytest.raises(NoRunnerError, match=r"^pytest-django is not installed"):
        name_of(tmp_path)
    (tmp_path / "manage.py").touch()
    assert name_of(tmp_path) == "django"


@pytest.mark.parametrize("missing", ["pytest", "pytest-django"])
def test_what_pytest_needs_and_is_not_installed_is_named(
    tmp_path, monkeypatch, missing
):
    (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = x")
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: None if name == missing.replace("-", "_") else name,
    )
    with pytest.raises(NoRunnerError) as caught:
        runner_named("pytest", tmp_path)
    assert str(caught.value) == (
        f"{missing} is not installed beside cache-isolation, so the tests can't be run "
        "with pytest. Install it with: python -m pip install "
        "'ci-cache-isolation[stress,pytest]'"
    )


def test_pytest_without_pytest_django_may_have_settings_of_another_s(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: None if name == "pytest_django" else name,
    )
    assert runner_named("pytest", tmp_path).name == "pytest"


def test_commands_are_those_of_users_with_our_ordering_in_them(tmp_path):
    runner = runner_named("django", tmp_path)
    assert runner.own_command(["shop"]) == [
        *(sys.executable, "-m", "django", "test", "shop")
    ]
    (tmp_path / "manage.py").touch()
    assert runner.command(["shop"], 2) == [
        *(sys.executable, "manage.py", "test", "--no-input", "--testrunner"),
        "ci_cache_isolation.running.inside.django_order.OrderedRunner",
        *("--parallel", "2", "shop"),
    ]
    assert runner_named("pytest", tmp_path).command(["-k", "x"], 3) == [
        *(sys.executable, "-m", "pytest"),
        *("-p", "ci_cache_isolation.running.inside.pytest_order"),
        *("-n", "3", "-k", "x"),
    ]


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("django", ["shop", "blog.tests"], []),
        (
            "django",
            ["--settings=shop.ci", "--tag", "slow", "shop", "-v", "2", "--keepdb"],
            ["--settings=shop.ci", "--tag", "slow", "-v", "2", "--keepdb"],
        ),
        (
            "django",
            [
                "--parallel",
                "4",
                "--shuffle",
                "7",
                "-r",
                "--parallel=auto",
                "--",
                "shop",
            ],
            [],
        ),
        ("pytest", ["tests/test_shop.py", "tests/test_blog.py::test_a"], ["-n", "0"]),
        (
            "pytest",
            ["--ds", "shop.ci", "-x", "tests", "-k", "not slow", "-Werror"],
            ["--ds", "shop.ci", "-x", "-k", "not slow", "-Werror", "-n", "0"],
        ),
        ("pytest", ["-n", "4", "--junit-xml", "x.xml", "--junitxml=y"], ["-n", "0"]),
        ("pytest", ["-n4", "-p", "no:cov"], ["-n4", "-p", "no:cov", "-n", "0"]),
        ("pytest", ["-pno:xdist", "tests"], ["-pno:xdist"]),
    ],
)
def test_a_few_tests_are_run_with_the_options_that_all_of_them_were(
    tmp_path, monkeypatch, name, labels, expected
):
    (tmp_path / "manage.py").touch()
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: name in {"pytest", "xdist"} or None
    )
    runner = runner_named(name, tmp_path)
    command = runner.replay_command(["second", "first"], labels)
    assert command == runner.own_command([*expected, "second", "first"])


def test_a_shuffler_is_left_out_of_a_few_tests(tmp_path):
    command = runner_named("pytest", tmp_path).replay_command(["b", "a"], [])
    has_shuffler = importlib.util.find_spec("pytest_randomly") is not None
    assert ("no:randomly" in command) == has_shuffler
    assert command[-2:] == ["b", "a"]


def test_without_xdist_there_is_a_reason_for_no_split(tmp_path, monkeypatch):
    runner = runner_named("pytest", tmp_path)
    assert runner.why_no_split() == ""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert runner.why_no_split() == "pytest-xdist is not installed"
