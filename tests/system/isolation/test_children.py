"""Processes that a test starts: strangers, unless the test says that they are not."""

import json

import pytest

from ci_cache_isolation.isolation.inherited_sections import (
    JOIN_VARIABLE,
    Joined,
    announced,
    joined,
)

SETTINGS = """
    from ci_cache_isolation.settings import isolate

    CACHES = isolate({{
        "default": {{
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "{location}",
        }},
        "other": {{
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": "{files}",
        }},
    }})
    """
CHILD = """
    import django

    def work():
        django.setup()
        from django.core.cache import caches
        for alias in caches:
            cache = caches[alias]
            print(alias, cache.get("of_class"), cache.get("of_test"))
            cache.set("of_child", "from child")
            cache.delete("deleted")

    if __name__ == "__main__":
        work()
    """
TESTS = """
    import multiprocessing, os, subprocess, sys, unittest
    from contextlib import nullcontext
    from django.core.cache import caches
    from ci_cache_isolation import shared_with_children
    from child import work

    ways = {{
        "program": lambda: subprocess.run([sys.executable, "child.py"], check=True),
        "fork": lambda: started("fork"),
        "spawn": lambda: started("spawn"),
    }}

    def started(method):
        process = multiprocessing.get_context(method).Process(target=work)
        process.start()
        process.join()
        assert process.exitcode == 0

    class Tests(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            for alias in caches:
                caches[alias].set("of_class", "from class")

        def test_a_child(self):
            for alias in caches:
                caches[alias].set("of_test", "from test")
                caches[alias].set("deleted", 1)
            sys.stdout.flush()
            with {context}:
                ways["{way}"]()
            for alias in caches:
                print("afterwards", alias, caches[alias].get("of_child"),
                      caches[alias].get("deleted"), caches[alias].get("of_class"))

        def test_b_next_test(self):
            for alias in caches:
                assert caches[alias].get("of_child") is None
                assert caches[alias].get("of_class") == "from class"
    """


@pytest.fixture
def shared(project, redis_server, tmp_path):
    """A project whose tests start a child; what is on the server is theirs alone."""
    client = redis_server.client()
    client.flushdb()
    client.set("theirs", "untouched")
    files = tmp_path / "cache files"
    settings = SETTINGS.format(location=redis_server.location, files=files)
    project.write("settings", settings)
    project.write("child", CHILD)

    def run(way, context):
        project.write("test_children", TESTS.format(way=way, context=context))
        done = project.manage("test", PYTHONPATH=".")
        assert done.returncode == 0, done.stderr
        # Whatever the child was: nothing of it is left.
        assert client.keys("*") == [b"theirs"]
        assert [path.name for path in files.rglob("*")] == []
        return done.stdout.splitlines()[-4:]

    return run


@pytest.mark.parametrize("way", ["program", "fork", "spawn"])
def test_a_child_is_a_stranger(shared, way):
    assert shared(way, "nullcontext()") == [
        "default None None",
        "other None None",
        "afterwards default None 1 from class",
        "afterwards other None 1 from class",
    ]


@pytest.mark.parametrize("way", ["program", "fork", "spawn"])
def test_a_child_works_in_the_sections_of_its_test_where_the_test_says_so(shared, way):
    assert shared(way, "shared_with_children()") == [
        "default from class from test",
        "other from class from test",
        "afterwards default from child None from class",
        "afterwards other from child None from class",
    ]


def test_what_is_announced_is_what_a_child_reads(monkeypatch):
    sections = Joined("abcdef000001", {"space": "abcdef000002"})
    with announced(sections):
        assert joined() == sections
        assert sections.id_for("space") == "abcdef000002"
        assert sections.id_for("another") == "abcdef000001"
    assert joined() is None
    monkeypatch.setenv(JOIN_VARIABLE, "before")
    with announced(sections):
        pass
    assert joined() is None


@pytest.mark.parametrize(
    "told",
    [
        "",
        "nonsense",
        "{}",
        json.dumps(["short", {}]),
        json.dumps(["../../etc/pa", {}]),
        json.dumps(["abcdef000001", {"space": "../../etc/pa"}]),
        json.dumps(["abcdef000001", ["space"]]),
        json.dumps([1, {}]),
    ],
)
def test_a_child_that_is_told_nonsense_is_a_stranger(monkeypatch, told):
    monkeypatch.setenv(JOIN_VARIABLE, told)
    assert joined() is None
