"""The first of the processes in waiting: ``python process.py FD`` of a test process."""

import atexit
import gc
import importlib
import importlib.metadata
import os
import pkgutil
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

of_variable = os.environ.get("PYTHONPATH", "").split(os.pathsep)
of_variable = {str(Path(each).absolute()) for each in of_variable if each}
# A command adds those of its own variable.
base = [each for each in sys.path[1:] if each not in of_variable]
sys.path[0] = str(Path(__file__).parents[2])

from _pytest.assertion.rewrite import AssertionRewritingHook  # noqa: E402

import ci_cache_isolation  # noqa: E402
from tests.prepared.spare import serve  # noqa: E402
from tests.prepared.starting import install  # noqa: E402

# What most commands of ours import, and what needs no settings.
MODULES = [
    "asyncio",
    "concurrent.futures",
    "ctypes",
    "email.message",
    "html",
    "http.client",
    "json",
    "logging.config",
    "multiprocessing.pool",
    "multiprocessing.connection",
    "pickle",
    "sqlite3",
    "tempfile",
    "unittest.mock",
    "urllib.request",
    "uuid",
    "xml.etree.ElementTree",
    "zoneinfo",
    "django.contrib.sessions.backends.cache",
    "django.contrib.staticfiles.handlers",
    "django.core.cache.backends.db",
    "django.core.cache.backends.filebased",
    "django.core.cache.backends.memcached",
    "django.core.cache.backends.redis",
    "django.core.handlers.asgi",
    "django.core.management",
    "django.core.management.commands.check",
    "django.core.management.commands.createcachetable",
    "django.core.management.commands.flush",
    "django.core.management.commands.makemigrations",
    "django.core.management.commands.migrate",
    "django.core.management.commands.test",
    "django.core.management.sql",
    "django.core.servers.basehttp",
    "django.db.backends.mysql.base",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.autodetector",
    "django.db.migrations.executor",
    "django.db.models",
    "django.forms",
    "django.middleware.cache",
    "django.middleware.csrf",
    "django.shortcuts",
    "django.template.backends.django",
    "django.template.defaultfilters",
    "django.template.loader",
    "django.test",
    "django.test.runner",
    "django.test.utils",
    "django.urls",
    "django.utils.autoreload",
    "django.utils.translation.reloader",
    "django.views.csrf",
    "django.views.debug",
    "django.views.decorators.cache",
    "django.views.decorators.csrf",
    "django.views.generic",
    "_pytest.assertion.rewrite",
    "_pytest.junitxml",
    "_pytest.pytester",
    "_pytest.unittest",
    "execnet.gateway_base",
    "pluggy",
    "pytest",
    "django_redis.cache",
    "django_redis.client",
    "MySQLdb",
    "psycopg",
    "pylibmc",
    "pymemcache",
    "pymemcache.client.hash",
    "redis",
    "redis.asyncio",
    "valkey",
    "click",
    "cookiecutter.cli",
    "jinja2.ext",
    "msgspec",
    "nox.sessions",
    "nox.tasks",
    "rich.console",
    "rich.markup",
    "rich.progress",
    "rich.table",
    "tblib",
    "tblib.pickling_support",
    "yaml",
]
PACKAGE = "ci_cache_isolation."
# Plugins of pytest: ours, which the tests are about; xdist and what imports it, since
# it keeps a copy of sys.path from when it was imported.
NOT_PREPARED = (PACKAGE, "xdist", "pytest_rerunfailures")


def prepare():
    """Import what can be imported without settings, and no settings."""
    gc.disable()
    own = [
        each.name
        for each in pkgutil.walk_packages(ci_cache_isolation.__path__, PACKAGE)
        if not each.name.endswith(("__main__", "pytest_plugin"))
    ]
    plugins = [
        each.module
        for each in importlib.metadata.entry_points(group="pytest11")
        if not each.module.startswith(NOT_PREPARED)
    ]
    for name in [*MODULES, *plugins, *own]:
        # A client that is not there, a module that asks settings when it is imported.
        with suppress(Exception):
            importlib.import_module(name)
    _have_pytest_not_warn_of(frozenset(sys.modules))
    gc.collect()
    # A collection in a copy would touch, and so copy, each page of what is imported.
    gc.freeze()


def _have_pytest_not_warn_of(prepared):
    """Let plugins that are imported already be ones whose assertions stay as they are.

    pytest warns of a plugin that is imported before it can rewrite it.
    """
    warn = AssertionRewritingHook._warn_already_imported

    def warn_of_others(hook, name):
        if name not in prepared:
            warn(hook, name)

    AssertionRewritingHook._warn_already_imported = warn_of_others


def leave(command, base):
    """Run a command and end as an interpreter does, but for taking modules apart.

    To take apart a thousand modules is a tenth of a second, and nobody looks.
    """
    try:
        command.run(base)
    except SystemExit as error:
        code = _code_of(error)
    except BaseException as error:  # noqa: BLE001 - it is this process's last
        sys.excepthook(type(error), error, error.__traceback__)
        code = None if isinstance(error, KeyboardInterrupt) else 1
    else:
        code = 0
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
    if code is None:
        # A shell learns from it that Ctrl-C ended the command.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code & 0xFF)


def _code_of(error):
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    sys.stderr.write(f"{error.code}\n")
    return 1


if __name__ == "__main__":
    channel = socket.socket(fileno=int(sys.argv[1]))
    prepare()
    channel.sendall(b"+")
    command, spare = serve(channel)
    if spare is not None:
        install(spare)
    leave(command, base)
