"""Whether forks may be trusted with tests: said in one line, before anything forks."""

import os
import sys

import pytest

from ci_cache_isolation.running.forking import FORK_VARIABLE, why_unsafe


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    monkeypatch.delenv(FORK_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


def test_linux_forks():
    assert why_unsafe() == ""


def test_threads_are_named():
    assert why_unsafe(["waiting", "writing"]) == (
        "Threads run in the process that is set up (waiting, writing), and what waits "
        "for them in a fork hangs; CI_CACHE_ISOLATION_FORK=on takes the risk."
    )


def test_macos_does_not_fork(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert why_unsafe() == (
        "On macOS the system's frameworks may crash or hang in a process that was "
        "forked; CI_CACHE_ISOLATION_FORK=on takes the risk."
    )


@pytest.mark.parametrize("word", ["on", " ON", "1"])
def test_the_environment_takes_the_risk(monkeypatch, word):
    monkeypatch.setenv(FORK_VARIABLE, word)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert why_unsafe(["waiting"]) == ""


def test_the_environment_forbids_it(monkeypatch):
    monkeypatch.setenv(FORK_VARIABLE, "off")
    assert why_unsafe() == "CI_CACHE_ISOLATION_FORK is off."


def test_what_is_not_there_can_t_be_asked_for(monkeypatch):
    monkeypatch.setenv(FORK_VARIABLE, "on")
    monkeypatch.delattr(os, "fork")
    assert why_unsafe() == "This platform has no os.fork."
