"""Scopes from unittest: where they open and close, whatever happens in between."""

import os

from django.core.cache import caches

from tests import under_unittest
from tests.under_unittest import new_class, repeated, run, suite_of

isolation = under_unittest.isolation
cache = under_unittest.cache


def test_a_forked_process_keeps_its_caches(isolation):
    """Code holds them since import, and tests patch those in ``caches``."""
    held, answers = caches["default"], []
    test_class = new_class(
        **repeated(lambda: answers.append(caches["default"] is held), 2)
    )
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        run(suite_of(test_class))
        os.write(writing, repr(answers).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    assert os.waitpid(pid, 0)[1] == 0
    assert answer == str([True, True])
    assert caches["default"] is held
