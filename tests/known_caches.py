"""Projects whose tests fill what packages keep in a process, and look whether it is."""

SETTINGS = """
    from ci_cache_isolation.settings import isolate
    CACHES = isolate(
        {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        known=%r,
    )
    SECRET_KEY = "not a secret"
    INSTALLED_APPS = [
        "django.contrib.contenttypes", "django.contrib.sites", "rest_framework", %s
    ]
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
    MIGRATION_MODULES = {"sites": None, "contenttypes": None}
    ROOT_URLCONF = "urls"
    SITE_ID = 1
    USE_I18N = True
    TEMPLATES = [{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": [(
            "django.template.loaders.cached.Loader",
            [("django.template.loaders.locmem.Loader", {"a.html": "a"})],
        )]},
    }]
"""
BEGINNING = """
    import functools
    from django.test import SimpleTestCase, TestCase
"""


def module_of(checks, imports):
    """Return a module in which two tests of each class check and fill the same."""
    classes = [
        f"""
    class {name.title().replace("-", "")}Tests({base}):
        def check(self):
            {check}

        def test_a(self):
            self.check()

        def test_b(self):
            self.check()
"""
        for name, (base, check) in checks.items()
    ]
    return BEGINNING + imports + "".join(classes)
