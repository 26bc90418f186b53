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
