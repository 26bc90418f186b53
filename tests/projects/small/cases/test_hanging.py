"""A test that hangs when it runs last."""

import os
import time
from pathlib import Path

from django.test import SimpleTestCase

seen = []


class HangingTests(SimpleTestCase):
    def test_a_hangs(self):
        if seen:
            Path("pid.new").write_text(str(os.getpid()))
            Path("pid.new").rename("pid")
            time.sleep(600)

    def test_b_sound(self):
        seen.append(1)
