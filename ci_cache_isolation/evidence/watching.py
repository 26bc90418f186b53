"""Finds the line that changes a place, by looking at it after each line that runs."""

from __future__ import annotations

import sys
import threading
from ast import literal_eval
from types import FrameType
from typing import Any

from ci_cache_isolation.evidence.call_site import line_text
from ci_cache_isolation.state.comparing import Mark, differences
from ci_cache_isolation.state.containers import Keyed
from ci_cache_isolation.state.look import Look
from ci_cache_isolation.state.own_files import is_own_file

__all__ = ["Watch"]


class Watch:
    """Watches one place while the project's own code runs. ``line`` changed it last.

    Code of others is not followed: what it changes is changed by the line that calls
    it.
    """

    def __init__(self, look: Look, mark: Mark) -> None:
        number, key = mark
        self._container = look.containers[number]
        self._key = None if key is None else literal_eval(key)
        self._is_whole = key is None or not isinstance(self._container.kind, Keyed)
        self._known = self._value()
        self._is_begun = False
        self._at = ("", 0)
        self.line = ""

    def begin(self) -> None:
        """Follow what runs from now on, in all threads."""
        if not self._is_begun:
            self._is_begun = True
            threading.settrace(self._entered)
            sys.settrace(self._entered)

    def end(self) -> None:
        """Follow nothing any more."""
        sys.settrace(None)
        threading.settrace(None)

    def _value(self) -> Any:
        _, held, kind, _ = self._container
        if isinstance(kind, Keyed) and not self._is_whole:
            return kind.get(held, self._key)
        return kind.read(held)

    def _entered(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        if not is_own_file(frame.f_code.co_filename):
            return None
        self._compare()
        self._at = frame.f_code.co_filename, frame.f_lineno
        return self._ran

    def _ran(self, frame: FrameType, event: str, _arg: Any) -> Any:
        self._compare()
        # What is called has returned in the middle of a line.
        at = (event == "return" and frame.f_back) or frame
        if is_own_file(at.f_code.co_filename):
            self._at = at.f_code.co_filename, at.f_lineno
        return self._ran

    def _compare(self) -> None:
        """See whether the line that ran last has changed it."""
        try:
            now = self._value()
        except RuntimeError:
            return  # a thread writes meanwhile
        known = self._known
        has_sequence = self._container.kind.has_sequence
        is_changed = (
            differences(known, now, has_sequence=has_sequence)
            if self._is_whole
            else now is not known
        )
        if is_changed:
            self._known = now
            file, line = self._at
            if file:
                self.line = line_text(file, line)
