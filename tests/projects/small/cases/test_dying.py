"""A test that takes its process with it, when it runs last."""

import os

from django.test import SimpleTestCase

seen = []


class DyingTests(SimpleTestCase):
    def test_a_dies(self):
        if seen:
            os._exit(7)

    def test_b_sound(self):
        seen.append(1)
