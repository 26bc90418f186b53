"""A test that hangs when it runs last."""

import time

from django.test import SimpleTestCase

seen = []


class HangingTests(SimpleTestCase):
    def test_a_hangs(self):
        if seen:
            time.sleep(600)

    def test_b_sound(self):
        seen.append(1)
