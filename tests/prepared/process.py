"""The first of the processes in waiting: ``python process.py FD`` of a test process."""

import atexit
import gc
import importlib
import os
import pkgutil
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

base = sys.path[1:]
sys.path[0] = str(Path(__file__).parents[2])

import ci_cache_isolation  # noqa: E402
from tests.prepared.spare import serve  # noqa: E402
from tests.prepared.starting import install  # noqa: E402

# What most commands of ours import, and what needs no settings. No plugin of pytest's,
# which would then miss that its assertions are rewritten.
MODULES = """
    asyncio concurrent.futures ctypes email.message html http.client json logging.config
    multiprocessing.pool multiprocessing.connection pickle sqlite3 tempfile unittest.mock
    urllib.request uuid xml.etree.ElementTree zoneinfo
    django.test django.test.runner django.test.utils django.core.management
    django.core.management.commands.test django.core.management.commands.check
    django.core.management.commands.migrate django.core.management.commands.flush
    django.core.management.commands.createcachetable django.core.management.sql
    django.core.servers.basehttp django.core.handlers.asgi
    django.core.cache.backends.db django.core.cache.backends.filebased
    django.core.cache.backends.memcached django.core.cache.backends.redis
    django.db.backends.sqlite3.base django.db.backends.postgresql.base
    django.db.models django.db.migrations.executor django.db.migrations.autodetector
    django.contrib.sessions.backends.cache django.contrib.staticfiles.handlers
    django.middleware.cache django.template.defaultfilters django.template.loader
    django.template.backends.django django.views.debug django.views.generic
    django.urls django.forms django.utils.autoreload
    pytest _pytest.pytester _pytest.junitxml _pytest.assertion.rewrite
    execnet.gateway_base pluggy
    redis redis.asyncio valkey pymemcache pymemcache.client.hash pylibmc psycopg
    django_redis.cache django_redis.client django_valkey.cache
    click rich.console rich.table rich.progress rich.markup tblib tblib.pickling_support
    """.split()
PACKAGE = "ci_cache_isolation."


def prepare():
    """Import what is there of it; return what needs settings after all."""
    missed = []
    own = [
        each.name
        for each in pkgutil.walk_packages(ci_cache_isolation.__path__, PACKAGE)
        if not each.name.endswith(("__main__", "pytest_plugin"))
    ]
    for name in [*MODULES, *own]:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        except Exception as error:  # noqa: BLE001 - any that a module raises
            missed.append(f"{name}: {error}")
    return missed


def leave(command, base):
    """Run a command and end as an interpreter does, but for taking modules apart.

    To take apart a thousand modules is a tenth of a second, and nobody looks.
    """
    code = 1
    try:
        command.run(base)
        code = 0
    except SystemExit as error:
        code = error.code
        if code is None:
            code = 0
        elif not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except KeyboardInterrupt:
        sys.excepthook(*sys.exc_info())
        code = None
    except BaseException:
        sys.excepthook(*sys.exc_info())
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


if __name__ == "__main__":
    channel = socket.socket(fileno=int(sys.argv[1]))
    missed = prepare()
    gc.collect()
    channel.sendall(b"+")
    command, spare = serve(channel)
    install(spare)
    leave(command, base)
