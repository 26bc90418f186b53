"""Children that are forked in a test: strangers, but for what the process holds."""

import pytest

SETTINGS = """
CACHES = {{
    "redis": {{
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "{redis}/7",
    }},
    "memcached": {{
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": "{memcached}",
        "KEY_PREFIX": "{prefix}",
    }},
    "files": {{
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": "{files}",
    }},
}}
"""
BEGINNING = """
import multiprocessing, os, sys, traceback
import django
from django.core.cache import caches
django.setup()
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.switch import STACK, install, start

CLASS, TEST = Scope(ScopeKind.CLASS, "class"), Scope(ScopeKind.TEST, "test")
BLOCK = Scope(ScopeKind.BLOCK, "block")
start(install())
alias = sys.argv[1] if sys.argv[1:] else os.environ["ALIAS"]
held = caches[alias]
held.set("of-process", 1)

def in_child(work):
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture(params=["redis", "memcached", "files"])
def forking(request, project, redis_server, memcached_server, tmp_path):
    """Run some code that forks, on caches of one kind; return what is left there."""
    prefix = f"fork-{tmp_path.name[-20:]}"
    settings = SETTINGS.format(
        redis=redis_server.location,
        memcached=memcached_server.location,
        files=tmp_path / "files",
        prefix=prefix,
    )
    project.write("settings", settings)
    client = redis_server.client()
    client.flushall()

    def run(source):
        environment = {
            "ALIAS": request.param,
            "CI_CACHE_ISOLATION_JOURNALS": str(tmp_path / "state"),
        }
        printed = project.python(BEGINNING + source, **environment)
        assert list((tmp_path / "state").glob("*/*.names")) == []
        left = [str(path) for path in (tmp_path / "files").rglob("*")]
        return printed, left + client.keys("*") + leftovers(client, request.param)

    yield run
    client.flushall()
    client.close()


def leftovers(client, kind):
    if kind != "redis":
        return []
    client.select(7)
    found = client.keys("*")
    client.select(0)
    return found


def test_a_forked_child_sees_what_the_process_holds_and_no_more(forking):
    _, left = forking("""
STACK.move_to((CLASS, TEST))
held.set("of-test", 1)
def work():
    for cache in (held, caches[alias]):
        assert cache.get("of-test") is None
        assert cache.get("of-process") == 1
    held.set("of-child", 2)
    held.set("of-process", 2)
    held.clear()
    assert held.get("of-process") is None
    held.set("of-child", 2)
in_child(work)
assert held.get("of-child") is None
assert held.get("of-process") == 1
assert held.get("of-test") == 1
STACK.move_to(())
assert held.get("of-process") == 1
""")
    # The child had no chance to tidy up: its parent has done it.
    assert left == []


def test_a_child_that_ends_as_python_does_tidies_up(forking):
    _, left = forking("""
STACK.move_to((CLASS, TEST))
held.set("of-test", 1)
child = os.fork()
if not child:
    held.set("of-child", 1)
    STACK.begin(BLOCK)
    held.set("of-child", 2)
    assert held.get("of-process") == 1
    held.set("of-process", 3)
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert held.get("of-test") == 1
assert held.get("of-process") == 1
""")
    assert left == []


def test_a_child_of_multiprocessing_tidies_up(forking):
    _, left = forking("""
STACK.move_to((CLASS, TEST))
held.set("of-test", 1)
def work():
    assert held.get("of-test") is None
    assert held.get("of-process") == 1
    held.set("of-child", 1)
child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
assert child.exitcode == 0
assert held.get("of-test") == 1
""")
    assert left == []


def test_a_child_of_a_visit_leaves_what_was_put_aside_alone(forking):
    _, left = forking("""
STACK.move_to((CLASS, TEST))
held.set("of-test", 1)
child = None
with STACK.at(1):
    held.set("of-class", 1)
    child = os.fork()
    if not child:
        assert held.get("of-class") is None
if not child:
    assert held.get("of-test") is None
    held.set("of-test", 2)
    STACK.move_to(())
    sys.exit(5)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
assert held.get("of-test") == 1
assert held.get("of-class") == 1
""")
    assert left == []


def test_a_grandchild_sees_what_its_ancestors_hold(forking):
    _, left = forking("""
def work():
    held.set("of-child", 1)
    assert held.get("of-process") == 1
    child = os.fork()
    if not child:
        assert held.get("of-process") == 1
        assert held.get("of-child") == 1
        held.set("of-child", 2)
        sys.exit()
    assert os.waitpid(child, 0)[1] == 0
    assert held.get("of-child") == 1
child = os.fork()
if not child:
    work()
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
assert held.get("of-child") is None
""")
    assert left == []


def test_connections_of_the_parent_are_not_its_childrens(forking):
    printed, _ = forking("""
def work():
    assert caches[alias] is held
    for number in range(50):
        caches[alias].set(f"key-{number}", number)
        assert caches[alias].get(f"key-{number}") == number
children = []
for _ in range(2):
    child = os.fork()
    if not child:
        work()
        sys.exit()
    children.append(child)
for number in range(200):
    held.set(f"own-{number}", number)
    assert held.get(f"own-{number}") == number
for child in children:
    assert os.waitpid(child, 0)[1] == 0
print("done")
""")
    assert printed == "done\n"


def test_threads_that_are_in_the_middle_do_not_stop_a_child(forking):
    forking("""
import threading
stop = threading.Event()
def write():
    mine = caches[alias]
    number = 0
    while not stop.is_set():
        number += 1
        mine.set(f"key-{number % 50}", number)
thread = threading.Thread(target=write)
thread.start()
import warnings
warnings.simplefilter("ignore")
for number in range(10):
    STACK.begin(TEST)
    child = os.fork()
    if not child:
        caches[alias].set("key", 1)
        os._exit(0 if caches[alias].get("key") == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    STACK.end()
stop.set()
thread.join()
""")


def test_a_child_begins_with_what_its_parents_private_server_holds(project):
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache"}
    memcached = {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache"}
    caches = {
        "redis": {**redis, "LOCATION": "redis://127.0.0.1:1/3"},
        "memcached": {**memcached, "LOCATION": "127.0.0.1:1"},
    }
    stores = dict.fromkeys(caches, "private-server")
    project.write("settings", f"CACHES = {caches!r}\n")
    project.write("settings", f"CACHE_ISOLATION = { {'stores': stores}!r}\n")
    for alias in caches:
        project.python(BEGINNING + PRIVATE, ALIAS=alias)


PRIVATE = """
def work():
    # It is led to the child's own server, and keeps what makes its clients.
    STACK.begin(BLOCK)
    cache = caches[alias]
    assert cache.get("of-process") == 1
    cache.set("of-process", 7)
    STACK.end()
    assert cache is held
    assert cache.get("of-process") == held.get("of-process") == 1
    assert held.get("of-test") is None
    held.set("of-process", 2)
    cache.set("of-child", 1)
    STACK.begin(BLOCK)
    cache.clear()
    STACK.end()
    assert cache.get("of-child") == 1
    STACK.move_to(())
    assert cache.get("of-test") is None
    assert cache.get("of-process") == 1 + (not is_in_test)

is_in_test = False
in_child(work)
STACK.move_to((CLASS, TEST))
held.set("of-test", 1)
is_in_test = True
in_child(work)
assert held.get("of-test") == held.get("of-process") == 1
assert held.get("of-child") is None
"""
