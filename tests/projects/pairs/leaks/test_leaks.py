"""Pairs of tests: the second meets what the first has left."""

from django.core.cache import caches
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from leaks.apps import held
from leaks.models import Note

seen = []


class Leaking:
    alias = "default"

    def test_reads(self):
        self.assertIsNone(caches[self.alias].get("key"))

    def test_writes(self):
        caches[self.alias].set("key", 1)
        self.assertEqual(caches[self.alias].get("key"), 1)


class MemoryTests(Leaking, SimpleTestCase):
    pass


class FileTests(Leaking, TestCase):
    alias = "files"


class TableTests(Leaking, TransactionTestCase):
    alias = "table"


class ServerTests(Leaking, TestCase):
    alias = "server"


class HeldTests(SimpleTestCase):
    def test_reads(self):
        self.assertIsNone(held.get("held"))

    def test_writes(self):
        for number in range(50):
            held.set("held", number)
            self.assertEqual(held.get("held"), number)


class GlobalTests(SimpleTestCase):
    def test_reads(self):
        self.assertEqual(seen, [])

    def test_writes(self):
        seen.append(1)


class NoteTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.note = Note.objects.create(text="of the class")

    def test_one(self):
        self.assertEqual(list(Note.objects.all()), [self.note])
        self.note.delete()

    def test_two(self):
        self.assertEqual(list(Note.objects.all()), [self.note])
        Note.objects.create(text="of the test")


class CommittedTests(TransactionTestCase):
    def test_one(self):
        self.assertEqual(Note.objects.count(), 0)
        Note.objects.create(text="committed")

    def test_two(self):
        self.assertEqual(Note.objects.count(), 0)
        Note.objects.create(text="committed too")
