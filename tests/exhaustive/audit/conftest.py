"""A copy of the project whose leaks are known, for each test."""

from tests.audits import corpus

__all__ = ["corpus"]
