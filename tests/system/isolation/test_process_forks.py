"""Which process this is, and ids that sort."""

import multiprocessing
import os

from ci_cache_isolation import current_section
from ci_cache_isolation.isolation.process import (
    TOKEN_LENGTH,
    process_token,
)
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.switch import STACK
from tests.locks import locks_of_the_package

BLOCK = Scope(ScopeKind.BLOCK, "of a test")


def answer_of_a_fork(question):
    """Return what a forked process says to a question."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writing, question().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    assert os.waitpid(pid, 0)[1] == 0
    return answer


def answer_of_a_spawn(question):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(question)


def answer_of_a_grandchild():
    return process_token() + answer_of_a_fork(process_token)


def test_every_fork_has_a_token_of_its_own():
    mine = process_token()
    tokens = [mine, *(answer_of_a_fork(process_token) for _ in range(3))]
    assert len(set(tokens)) == 4
    assert process_token() == mine


def test_a_fork_of_a_fork_has_a_token_of_its_own():
    both = answer_of_a_fork(answer_of_a_grandchild)
    assert len({process_token(), both[:6], both[6:]}) == 3


def test_a_spawned_process_has_a_token_of_its_own():
    assert answer_of_a_spawn(process_token) != process_token()


def test_a_section_has_another_id_in_a_fork():
    with STACK.opened(BLOCK):
        mine, its = current_section(), answer_of_a_fork(current_section)
    # The same section by number, in another process.
    assert mine[TOKEN_LENGTH:] == its[TOKEN_LENGTH:]
    assert mine != its


USING_LOCKS = """
    import faulthandler, os, sys, threading, types, warnings
    import django
    from django.core.cache import caches
    django.setup()
    from ci_cache_isolation import isolated
    from ci_cache_isolation.isolation import journal, process, switch
    from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
    from ci_cache_isolation.running.processes import Processes

    processes = Processes()
    switch.start(switch.install())
    switch.STACK.begin(Scope(ScopeKind.CLASS, "class"))

    def use():
        with isolated():
            switch.STACK.begin(Scope(ScopeKind.TEST, "test"))
            for alias in ("default", "files", "table"):
                caches[alias].set("key", 1)
                assert caches[alias].get("key") == 1
                caches[alias].clear()
            with switch.shared_with_children():
                switch.store_named("private-server")
            switch.STACK.end()
        processes.end()

    use()
    kept = [
        (owner, name, getattr(owner, name))
        for owner, names in process._locks.items()
        for name in names
    ]
    from django.core.cache.backends import locmem
    others = [*locmem._locks.values()]
    others += [
        each for each in vars(caches._connections).values() if hasattr(each, "acquire")
    ]
    assert len(others) > 1
    for owner, name, _ in kept:
        kind = owner if isinstance(owner, types.ModuleType) else type(owner)
        print(kind.__name__.rpartition(".")[2], name)
    is_held, is_over = threading.Event(), threading.Event()

    def hold():
        for lock in [*others, *(lock for *_, lock in kept)]:
            lock.acquire()
        is_held.set()
        is_over.wait()
        for lock in [*others, *(lock for *_, lock in kept)]:
            lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait()
    warnings.simplefilter("ignore", DeprecationWarning)
    sys.stdout.flush()
    child = os.fork()
    if not child:
        faulthandler.dump_traceback_later(30, exit=True)
        use()
        switch.finish()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    is_over.set()
    thread.join()
    use()
    assert os.waitstatus_to_exitcode(status) == 0
"""


def test_a_child_waits_for_no_lock_that_another_thread_held_at_the_fork(
    project, tmp_path
):
    """Those of Django that its tests take are freed as well."""
    project.write(
        "settings",
        f"""
        DATABASES = {{
            "default": {{
                "ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"
            }}
        }}
        BACKENDS = "django.core.cache.backends."
        CACHES = {{
            "default": {{"BACKEND": BACKENDS + "locmem.LocMemCache"}},
            "files": {{
                "BACKEND": BACKENDS + "filebased.FileBasedCache",
                "LOCATION": {str(tmp_path / "files")!r},
            }},
            "table": {{"BACKEND": "backend.Cache"}},
        }}
        """,
    )
    project.write(
        "backend",
        """
        from django.core.cache import BaseCache

        entries = {}

        class Cache(BaseCache):
            def __init__(self, location, params):
                super().__init__(params)

            def get(self, key, default=None, version=None):
                return entries.get(self.make_key(key, version), default)

            def set(self, key, value, timeout=None, version=None):
                entries[self.make_key(key, version)] = value

            def add(self, key, value, timeout=None, version=None):
                return entries.setdefault(self.make_key(key, version), value) is value

            def delete(self, key, version=None):
                return entries.pop(self.make_key(key, version), None) is not None

            def clear(self):
                entries.clear()
        """,
    )
    printed = project.python(
        USING_LOCKS, CI_CACHE_ISOLATION_AUDIT=str(tmp_path / "audit")
    )
    held = {tuple(line.split()) for line in printed.splitlines()}
    assert held == locks_of_the_package()
