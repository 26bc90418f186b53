"""A fixture that every test uses: it is set up once, before the first fork."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def of_parent():
    pid = os.getpid()
    yield
    # Never in a fork.
    assert os.getpid() == pid
