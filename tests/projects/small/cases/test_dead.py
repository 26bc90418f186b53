"""A test that always takes its process with it."""

import os

from django.test import SimpleTestCase


class DeadTests(SimpleTestCase):
    def test_a_sound(self):
        pass

    def test_b_dies(self):
        os._exit(7)
