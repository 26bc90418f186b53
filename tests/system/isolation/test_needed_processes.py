"""A run does not start where something that isolation needs is called otherwise."""

import platform

import django
import pytest

DJANGO = f"Django {django.get_version()}"
PYTHON = f"Python {platform.python_version()}"
SETTINGS = """
    import unittest
    from functools import partial
    from django.core.cache import CacheHandler
    from django.core.cache.backends.filebased import FileBasedCache
    from ci_cache_isolation.settings import isolate

    def rename(owner, name):
        # Those who call it find it, as in a version in which all is called otherwise.
        function = getattr(owner, name)
        for each in owner.__mro__:
            if name in vars(each):
                delattr(each, name)

        def found(this, wanted):
            if wanted != name:
                raise AttributeError(wanted)
            return partial(function, this)

        owner.__getattr__ = found

    rename({owner}, "{name}")
    DATABASES = {{}}
    CACHES = isolate({{
        "default": {{
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": "files",
        }},
    }})
    """
SUITE = """
    import unittest
    from django.core.cache import cache

    class Tests(unittest.TestCase):
        def test(self):
            cache.set("key", 1)
            assert cache.get("key") == 1
    """
RENAMED = {
    ("FileBasedCache", "_key_to_file"): DJANGO,
    ("FileBasedCache", "_list_cache_files"): DJANGO,
    ("CacheHandler", "create_connection"): DJANGO,
    ("unittest.TestSuite", "_handleClassSetUp"): PYTHON,
    ("unittest.TestSuite", "_tearDownPreviousClass"): PYTHON,
}


@pytest.mark.parametrize("runner", ["django", "pytest"])
@pytest.mark.parametrize(("owner", "name"), RENAMED)
def test_a_run_that_would_silently_not_be_isolated_does_not_start(
    project, owner, name, runner
):
    project.write("settings", SETTINGS.format(owner=owner, name=name))
    project.write("test_suite", SUITE)

    def run(**environment):
        if runner == "django":
            return project.manage("test", PYTHONPATH=".", **environment)
        return project.pytest(PYTHONPATH=".", **environment)

    done = run()
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Cache isolation can't work: " in said
    assert f"{owner}.{name} is not there in {RENAMED[owner, name]}. " in said
    assert "Ran 1 test" not in said
    assert "1 passed" not in said
    assert "Traceback" not in said
    off = run(CI_CACHE_ISOLATION="off")
    assert off.returncode == 0, off.stdout + off.stderr


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_looking_for_names_does_not_ask_for_caches_before_settings_are_whole(
    project, workers
):
    project.write(
        "settings",
        """
        from ci_cache_isolation.settings import isolate

        LOCMEM = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        CACHES = isolate({"default": LOCMEM, "second": LOCMEM})
        """,
    )
    project.write(
        "conftest",
        """
        from django.conf import settings

        settings.CACHES = {**settings.CACHES, "third": settings.CACHES["second"]}
        """,
    )
    project.write(
        "test_aliases",
        """
        from django.core.cache import caches

        def test_all_are_there():
            assert caches["second"].add("key", 1)
            assert list(caches) == ["default", "second", "third"]
        """,
    )
    done = project.pytest("-q", *workers)
    assert done.returncode == 0, done.stdout
