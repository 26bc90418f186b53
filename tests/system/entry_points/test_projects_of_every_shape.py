"""doctor, audit and stress in projects as people have them, each called in its folder.

Two tests meet in a cache: one leaves what the other one looks at.
"""

import json
import sys

import pytest

TESTS = """
    from django.core.cache import cache
    from django.test import SimpleTestCase

    class Tests(SimpleTestCase):
        def test_leaves(self):
            cache.set("rate", 7)

        def test_looks(self):
            self.assertIsNone(cache.get("rate"))
    """
SETTINGS = "SECRET_KEY = 'x'\nUSE_TZ = True\n"
CONFIGURED = """
    import django
    from django.conf import settings

    settings.configure(SECRET_KEY="x", USE_TZ=True)
    django.setup()
    """
PYTEST_INI = "[pytest]\nDJANGO_SETTINGS_MODULE = shop.settings\n"
RUNTESTS = """
    import os, sys
    from django.core.management import execute_from_command_line

    if __name__ == "__main__":
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
        execute_from_command_line([sys.argv[0], "test", *sys.argv[1:]])
    """
MANAGE = """
    import os, sys
    from django.core.management import execute_from_command_line

    def main():
        print("Only for the eyes of those who call me myself.")
        {choosing}
        execute_from_command_line(sys.argv)

    if __name__ == "__main__":
        main()
    """
CHOOSING = {
    "by a condition": """
        name = "settings" if sys.argv[1:2] == ["test"] else "production"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"shop.{name}")
        """,
    "twice": """
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.production")
        if "test" in sys.argv:
            os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
        """,
    "from a file": """
        with open(os.path.join(os.path.dirname(__file__), ".env")) as file:
            os.environ.update(line.strip().split("=") for line in file)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.production")
        """,
}
SHAPES = {
    "src layout": (
        "pytest",
        {
            "pyproject.toml": """
                [tool.pytest.ini_options]
                DJANGO_SETTINGS_MODULE = "shop.settings"
                pythonpath = ["src"]
                """,
            "src/shop/__init__.py": "",
            "src/shop/settings.py": SETTINGS,
            "tests/test_rates.py": TESTS,
        },
    ),
    "native options of pytest": (
        "pytest",
        {
            "pyproject.toml": """
                [tool.pytest]
                DJANGO_SETTINGS_MODULE = "shop.settings"
                pythonpath = ["src"]
                testpaths = ["tests"]
                """,
            "src/shop/__init__.py": "",
            "src/shop/settings.py": SETTINGS,
            "tests/test_rates.py": TESTS,
        },
    ),
    "addopts": (
        "pytest",
        {
            "setup.cfg": "[tool:pytest]\naddopts = -q --ds=shop.settings\n",
            "shop/__init__.py": "",
            "shop/settings.py": SETTINGS,
            "test_rates.py": TESTS,
        },
    ),
    "settings configured in conftest.py": (
        "pytest",
        {"conftest.py": CONFIGURED, "tests/test_rates.py": TESTS},
    ),
    "settings configured by a hook": (
        "pytest",
        {
            "tests/conftest.py": """
                def pytest_configure():
                    from django.conf import settings

                    settings.configure(SECRET_KEY="x", USE_TZ=True)
                """,
            "tests/test_rates.py": TESTS,
        },
    ),
    "a script with settings": (
        "script",
        {
            "runtests.py": RUNTESTS,
            "shop/__init__.py": "",
            "shop/settings.py": SETTINGS,
            "tests/__init__.py": "",
            "tests/test_rates.py": TESTS,
        },
    ),
    "a script that configures settings": (
        "script",
        {
            "runtests.py": f"""{CONFIGURED}
    import sys
    from django.test.runner import DiscoverRunner

    print("Only for the eyes of those who call me myself.")
    sys.exit(DiscoverRunner(verbosity=1).run_tests(["tests"]))
    """,
            "tests/__init__.py": "",
            "tests/test_rates.py": TESTS,
        },
    ),
    "a script that asks the settings": (
        "script",
        {
            "tests/runtests.py": f"""{CONFIGURED}
    import sys
    from django.test.utils import get_runner

    sys.exit(bool(get_runner(settings)().run_tests(["test_rates"])))
    """,
            "tests/test_rates.py": TESTS,
        },
    ),
}
for way, choosing in CHOOSING.items():
    SHAPES[f"manage.py chooses settings {way}"] = (
        "django",
        {
            "manage.py": MANAGE.format(choosing=choosing.strip()),
            ".env": "DJANGO_SETTINGS_MODULE=shop.settings\n",
            "shop/__init__.py": "",
            "shop/settings.py": """
                import sys
                SECRET_KEY, USE_TZ = "x", True
                assert "test" in sys.argv
                """,
            "tests/__init__.py": "",
            "tests/test_rates.py": TESTS,
        },
    )


if pytest.version_tuple < (9,):
    # The first that reads them.
    del SHAPES["native options of pytest"]
SOME = (
    "src layout",
    "settings configured by a hook",
    "a script with settings",
    "a script that asks the settings",
    "manage.py chooses settings by a condition",
)


@pytest.fixture(params=SHAPES)
def shape(request, project):
    """Return a project of some shape; ``runner`` is what its tests are run by."""
    project.runner, files = SHAPES[request.param]
    project.script = next((each for each in files if "runtests" in each), "")
    project.has_module = "shop.settings" in "".join(files.values())
    made(project, files)
    return project


def made(project, files):
    del project.own["DJANGO_SETTINGS_MODULE"]
    (project.path / "settings.py").unlink()
    for name, text in files.items():
        module, _, suffix = name.rpartition(".")
        if suffix == "py":
            project.write(module, text)
        else:
            project.write("unnamed", text)
            (project.path / "unnamed.py").rename(project.path / name)


def command(project, *arguments, **environment):
    return project.run("-m", "ci_cache_isolation", *arguments, **environment)


def test_doctor_finds_settings_and_what_runs_the_tests(shape):
    done = command(shape, "doctor")
    assert done.stderr == ""
    settings, runner, *_ = done.stdout.splitlines()
    is_script = shape.runner == "script"
    by = f"{shape.script} (--runner script)" if is_script else shape.runner
    assert runner == f"tests are run by: {by}"
    if shape.has_module:
        assert settings == "settings: shop.settings"
    else:
        assert settings.startswith("settings: configured by ")
    assert done.returncode == (0 if shape.runner == "pytest" else 1)
    assert "cache 'default': memory (its backend)" in done.stdout


def test_the_lines_that_doctor_shows_for_a_script_switch_isolation_on(project):
    _, files = SHAPES["a script that configures settings"]
    made(project, files)
    first = command(project, "doctor")
    assert first.stdout.splitlines()[3:7] == [
        (
            "switched on by: NOBODY: neither isolate() nor install(), so runtests.py "
            "runs without it"
        ),
        "    add to runtests.py, where its settings are configured:",
        "        from ci_cache_isolation import install",
        "        install()",
    ]
    assert project.run("runtests.py").returncode == 1
    script = project.path / "runtests.py"
    script.write_text(
        script.read_text().replace(
            "django.setup()",
            "django.setup()\nfrom ci_cache_isolation import install\ninstall()",
        )
    )
    again = command(project, "doctor")
    assert "switched on by: install() in runtests.py" in again.stdout.splitlines()
    assert again.returncode == 0
    assert project.run("runtests.py").returncode == 0


@pytest.mark.parametrize("shape", SOME, indirect=True)
def test_audit_proves_the_leak(shape):
    done = command(shape, "audit")
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(
        (shape.path / ".cache-isolation" / "audit" / "report.json").read_text()
    )
    assert report["suite"]["runner"] == shape.runner
    assert report["suite"]["settings"] == ("shop.settings" if shape.has_module else "")
    assert report["suite"]["tests"] == 2
    [finding] = report["findings"]
    assert finding["state"]["key"] == "rate"
    assert finding["proof"] == {"alone": "0/5", "after": "5/5", "isolated": "0/5"}
    assert finding["replay"]


@pytest.mark.parametrize("shape", ["a script that configures settings"], indirect=True)
def test_stress_shows_it_too_and_its_command_shows_it_again(shape):
    stress = ("stress", "--orders=0", "--split=0", "--seed=1", "--cache=shared")
    done = command(shape, *stress)
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(
        (shape.path / ".cache-isolation" / "stress" / "report.json").read_text()
    )
    [finding] = report["findings"]
    assert finding["verdict"] == "victim"
    _, _, file = finding["replay"].partition("cache-isolation replay ")
    replayed = command(shape, "replay", file)
    assert replayed.returncode == 1, replayed.stdout + replayed.stderr


def test_a_script_with_two_runners_is_audited_whole_and_forked_in_part(project):
    _, files = SHAPES["a script that configures settings"]
    made(project, files)
    project.write("others.test_others", TESTS)
    project.write("others.__init__", "")
    script = project.path / "runtests.py"
    first, _, call = script.read_text().partition("sys.exit(")
    script.write_text(
        f"{first}failed = {call.rpartition(')')[0]}\n"
        'sys.exit(DiscoverRunner().run_tests(["others"]) or failed)\n'
    )
    done = command(project, "audit")
    assert done.returncode == 1, done.stdout + done.stderr
    remark = (
        "runtests.py calls run_tests() in more than one place: forks run the tests of "
        "the first call only."
    )
    assert remark in done.stdout.splitlines()
    report = json.loads(
        (project.path / ".cache-isolation" / "audit" / "report.json").read_text()
    )
    assert report["suite"]["tests"] == 4
    [finding] = report["findings"]
    assert finding["test"] == "tests.test_rates.Tests.test_looks"


def test_a_manage_py_that_fails_is_said_to(project):
    text = MANAGE.format(choosing="raise RuntimeError('no .env')")
    made(project, {"manage.py": text})
    done = command(project, "doctor")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(
        "cache-isolation: manage.py can't be used: RuntimeError: no .env. This command "
    )


def test_settings_that_are_given_come_before_those_that_manage_py_chooses(project):
    _, files = SHAPES["manage.py chooses settings twice"]
    made(project, files)
    project.write("shop.other", SETTINGS)
    done = command(project, "doctor", "--settings", "shop.other")
    assert done.stdout.splitlines()[0] == "settings: shop.other", done.stderr


def test_a_script_that_runs_no_tests_is_said_to(project):
    made(project, {"runtests.py": "from django.test.runner import DiscoverRunner"})
    done = command(project, "doctor")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "cache-isolation: Settings configured by runtests.py can't be used: it ended "
        "before it ran any tests by Django's test runner. This command asks them for "
        "your caches. Call it where your tests run, with their Python (this is "
        f"{sys.executable}), or select others with --settings.\n"
    )
