"""Projects that exist already, for the template that adds to them."""

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "template" / "existing"
NOX = "noxfile_cache_isolation.py"
WORKFLOW = ".github/workflows/cache-isolation.yml"
SETTINGS = "mysite/settings_cache_isolation.py"
RUNNER = "mysite/runner_cache_isolation.py"
MANAGE = """
    import os, sys
    from django.core.management import execute_from_command_line
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
    execute_from_command_line(sys.argv)
    """
OWN_SETTINGS = """
    SECRET_KEY = "not a secret"
    USE_TZ = True
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    """
OWN_RUNNER = """
    from django.test.runner import DiscoverRunner

    class OwnRunner(DiscoverRunner):
        def run_suite(self, suite, **kwargs):
            print("run by the project's own runner")
            return super().run_suite(suite, **kwargs)
    """
# They pass in their usual order, and in reverse with isolated caches only.
TESTS = """
    from django.core.cache import cache
    from django.test import SimpleTestCase

    class Tests(SimpleTestCase):
        def test_first(self):
            self.assertIsNone(cache.get("key"))

        def test_second(self):
            cache.set("key", 1)
    """
FUNCTIONS = """
    from django.core.cache import cache

    def test_first():
        assert cache.get("key") is None

    def test_second():
        cache.set("key", 1)
    """
PYTEST_INI = """
    [pytest]
    DJANGO_SETTINGS_MODULE = mysite.settings
    """


@dataclass
class Existing:
    """A project in a folder of its own; commands run there."""

    folder: Path

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))

    def files(self):
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.suffix != ".pyc"
        }

    def python(self, *arguments, folder=".", typed="", **environment):
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CI", "DJANGO_", "PYTEST_", "NOX"))
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder / folder,
            env=inherited | {"PATH": path} | environment,
            input=typed,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )

    def config(self):
        """Write a configuration for cookiecutter, which else writes into the home."""
        beside = self.folder.parent
        config = beside / "cookiecutter.yaml"
        config.write_text(
            f"cookiecutters_dir: {beside / 'templates'}\n"
            f"replay_dir: {beside / 'replay'}\n"
        )
        return config

    def adopt(self, *answers, force=("-f",), replay=False):
        """Run cookiecutter in the folder of the repository."""
        mode = "--replay" if replay else "--no-input"
        start = ("-m", "cookiecutter", mode, *force, f"--config-file={self.config()}")
        return self.python(*start, str(TEMPLATE), *answers)

    def session(self, name, *arguments):
        """Run a nox session here and now, with this checkout already installed."""
        dashes = ["--", *arguments] if arguments else []
        start = ("-m", "nox", "--no-venv", "--no-install", "-f", NOX, "-s", name)
        return self.python(*start, *dashes)


def made_site(folder):
    """Make a project with manage.py, as startproject lays it out."""
    made = Existing(folder)
    made.write("manage.py", MANAGE)
    made.write("mysite/__init__.py", "")
    made.write("mysite/settings.py", OWN_SETTINGS)
    made.write("mysite/tests.py", TESTS)
    return made


def made_pytest_site(folder):
    """Make a project whose tests are functions."""
    made = Existing(folder)
    made.write("pytest.ini", PYTEST_INI)
    made.write("mysite/__init__.py", "")
    made.write("mysite/settings.py", OWN_SETTINGS)
    made.write("tests/test_cache.py", FUNCTIONS)
    return made


def made_site_with_a_runner(folder):
    """Make a project that has a runner of its own."""
    made = made_site(folder)
    made.write("mysite/runners.py", OWN_RUNNER)
    # Not in the file that is named: whoever only reads that one does not see it.
    made.write("mysite/base.py", 'TEST_RUNNER = "mysite.runners.OwnRunner"\n')
    made.write("mysite/settings.py", f"{OWN_SETTINGS}\n    from mysite.base import *\n")
    return made


def added(project, done, before):
    """Return the files that were added, and fail if one that was there has changed."""
    assert done.returncode == 0, done.stderr
    after = project.files()
    assert {name: after.get(name) for name in before} == before
    return sorted(set(after) - set(before))
