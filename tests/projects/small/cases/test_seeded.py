"""Fails with some random numbers: those that pytest-randomly seeds before each test."""

import random


def test_one_in_two():
    assert random.random() < 0.5


def test_sound():
    pass
