"""Records: what a named tuple is to its readers."""

import subprocess
import sys

import pytest


@pytest.mark.fresh_interpreter("what an import defines is what is asked")
def test_switching_isolation_on_defines_no_named_tuple():
    # Each takes as long as isolating fifty tests; the audit and the reports use them.
    code = (
        "import typing, django.test, django.core.cache;"
        "django.conf.settings.configure();"
        "made = [];"
        "typing.NamedTupleMeta.__new__ = lambda *a, **k: made.append(a[1]);"
        "import ci_cache_isolation.settings; print(made)"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed.strip() == "[]"
