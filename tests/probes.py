"""Projects whose caches are probed, and what was found of each."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FLAWS = [
    "async",
    "bulk",
    "calls",
    "clocks",
    "extras",
    "foreign",
    "held",
    "keys",
    "left",
    "off",
    "opened",
    "own",
    "plain-keys",
    "processes",
    "scopes",
    "threads",
    "timeouts",
    "undone",
    "versions",
    "words",
]
"""Each is the name of the promise that it breaks."""
SETTINGS = """
import json, pathlib
SECRET_KEY = "not a secret"
USE_TZ = True
HERE = pathlib.Path(__file__).parent
TOLD = json.loads((HERE / "told.json").read_text())
DATABASES = TOLD["databases"]
DATABASE_ROUTERS = TOLD["routers"]
DJANGO_REDIS_CONNECTION_FACTORY = TOLD["factory"]
CACHES = TOLD["caches"]
CACHE_ISOLATION = {"stores": TOLD["stores"]}
TEST_RUNNER = "ci_cache_isolation.runner.IsolatedRunner"
"""
MANAGE = """
import os
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line()
"""
SQLITE = {"ENGINE": "django.db.backends.sqlite3"}
DJANGOS = "django.core.cache.backends"


@dataclass
class Found:
    """What ``doctor --probe --json`` said of a project."""

    code: int
    said: dict
    errors: str

    def cache(self, alias):
        return next(each for each in self.said["caches"] if each["alias"] == alias)

    def states(self, alias):
        """Return the state of each promise, by its name."""
        return {each["name"]: each["state"] for each in self.cache(alias)["promises"]}

    def broken(self, alias):
        """Return the promises that are broken, with all that is known of them."""
        return {
            each["name"]: each["reason"] or each["differences"]
            for each in self.cache(alias)["promises"]
            if each["state"] == "broken"
        }


def project_with(folder, caches, **told):
    """Make a project with these caches; files of theirs are in its folder.

    What else is told: its databases, stores, routers and django-redis's factory.
    """
    folder.mkdir(parents=True, exist_ok=True)
    usual = {
        "caches": caches,
        "databases": {"default": {**SQLITE, "NAME": str(folder / "nowhere.sqlite3")}},
        "stores": {},
        "routers": [],
        "factory": "django_redis.pool.ConnectionFactory",
    }
    (folder / "told.json").write_text(json.dumps(usual | told))
    (folder / "settings.py").write_text(SETTINGS)
    (folder / "manage.py").write_text(MANAGE)
    shutil.copy(HERE / "flawed_cache.py", folder)
    return folder


def probed(folder, *options, **environment):
    """Have a project's caches probed by the command, in processes as they are."""
    done = run(folder, "--json", *options, **environment)
    assert done.stdout, done.stderr
    return Found(done.returncode, json.loads(done.stdout), done.stderr)


def run(folder, *options, is_probe=True, **environment):
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CI_CACHE_ISOLATION", "DJANGO_", "PYTEST_"))
    }
    own = {
        "CI_CACHE_ISOLATION_JOURNALS": str(folder / ".state"),
    }
    probe = ["--probe"] if is_probe else []
    return subprocess.run(
        [sys.executable, "-m", "ci_cache_isolation", "doctor", *probe, *options],
        cwd=folder,
        env=inherited | own | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )


def backend(name, location="", **more):
    return {"BACKEND": f"{DJANGOS}.{name}", "LOCATION": str(location), **more}


def shelf(folder, *flaws):
    """Return settings of a backend that has some flaws."""
    return {
        "BACKEND": "flawed_cache.Shelf",
        "LOCATION": str(folder / "shelves" / "-".join(["shelf", *flaws])),
        "OPTIONS": {"flaws": flaws},
    }
