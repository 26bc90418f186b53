"""Tools that wrap the caches themselves: before us, after us, around open caches."""

import pytest

SETTINGS = """
    CACHES = {{
        "default": {{
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "{location}",
        }}
    }}
    """
TOOLBAR = """
    from debug_toolbar.panels.cache import CachePanel
    CachePanel.ready()
    panel = CachePanel(None, None)
    CachePanel.current_instance = classmethod(lambda cls: panel)
    """
SENTRY = """
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration
    sentry_sdk.init(integrations=[DjangoIntegration(cache_spans=True)])
    """
OPEN = """
    from django.core.cache import cache
    cache.close()
    """
TESTS = """
    import unittest
    from django.core.cache import cache

    class Tests(unittest.TestCase):
        def test_a(self):
            self.assertIsNone(cache.get("key"))
            cache.set("key", 1)

        def test_b(self):
            self.assertIsNone(cache.get_many(["key"]).get("key"))
            cache.set_many({"key": 2})

        def test_c(self):
            self.assertIsNone(cache.get("key"))

        def test_d(self):
            cache.set("key", 1)
            cache.clear()
            self.assertIsNone(cache.get("key"))
    """
RUN = """
    import django
    django.setup()
    {before}
    from ci_cache_isolation import install
    install()
    {after}
    import unittest
    from tests_of_it import Tests
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Tests)
    result = unittest.TextTestRunner().run(suite)
    print("bad", len(result.failures) + len(result.errors))
    """


@pytest.mark.parametrize("tool", ["TOOLBAR", "SENTRY"])
@pytest.mark.parametrize("sequence", ["tool, us", "us, tool", "tool, open, us"])
@pytest.mark.parametrize("switch", ["on", "off"])
def test_tools_that_wrap_caches_and_isolation_go_together(
    project, redis_server, tool, sequence, switch
):
    code = {"tool": globals()[tool], "open": OPEN}
    before, _, after = sequence.partition("us")
    parts = [
        "".join(code[name] for name in steps.replace(",", " ").split())
        for steps in (before, after)
    ]
    project.write("settings", SETTINGS.format(location=redis_server.location))
    project.write("tests_of_it", TESTS)
    client = redis_server.client()
    client.flushdb()
    client.set("theirs", "untouched")
    client.config_resetstat()
    script = RUN.format(before=parts[0], after=parts[1])
    output = project.python(script, CI_CACHE_ISOLATION=switch)
    sent = client.info("commandstats")
    if switch == "on":
        assert output.splitlines()[-1] == "bad 0"
        assert "cmdstat_flushdb" not in sent
        assert client.keys("*") == [b"theirs"]
    else:
        assert output.splitlines()[-1] == "bad 2"
        assert "cmdstat_flushdb" in sent
