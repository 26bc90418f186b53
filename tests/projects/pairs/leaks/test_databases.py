"""Tests that find out which database they are in, and what is in it."""

import os
import signal
import time
from pathlib import Path
from urllib.request import urlopen

from django.db import connection, connections
from django.test import (
    LiveServerTestCase,
    SimpleTestCase,
    TestCase,
    TransactionTestCase,
)

from leaks.models import Note

IDENTITY = {
    "postgresql": "SELECT oid FROM pg_database WHERE datname = current_database()",
    "mysql": "SELECT table_id FROM information_schema.innodb_sys_tables "
    "WHERE name = CONCAT(DATABASE(), '/leaks_note')",
}


class First:
    def test_first(self):
        self.assertEqual(Note.objects.count(), 0)
        self.assertEqual(Note.objects.create(text="first").pk, 1)


class CommittingTests(First, TransactionTestCase):
    pass


class LeavingTests(SimpleTestCase):
    """Nobody rolls back what it does."""

    databases = frozenset({"default"})

    def test_finds_none(self):
        self.assertEqual(Note.objects.count(), 0)

    def test_leaves_one(self):
        Note.objects.create(text="left")


class RolledBackTests(TestCase):
    def test_first(self):
        self.assertEqual(Note.objects.count(), 0)
        note = Note.objects.create(text="first")
        if connection.vendor == "sqlite":
            self.assertEqual(note.pk, 1)


class MeetingTests(TransactionTestCase):
    def test_meets(self):
        me = f"{os.getpid()}"
        Note.objects.create(text=me)
        Path(f"here-{me}").touch()
        deadline = time.monotonic() + 30
        while len(list(Path().glob("here-*"))) < 2:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)
        self.assertEqual([note.text for note in Note.objects.all()], [me])


class ReadingTests(TestCase):
    def test_reads(self):
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                status = Path(connection.settings_dict["NAME"]).stat()
                found = status.st_ino, status.st_mtime_ns
            else:
                cursor.execute(IDENTITY[connection.vendor])
                found = cursor.fetchone()
        self.fail(f"{connection.settings_dict['NAME']} {found}")


class DyingTests(TestCase):
    def test_is_killed(self):
        Note.objects.create(text="never there")
        os.kill(os.getpid(), signal.SIGKILL)

    def test_hangs(self):
        Note.objects.create(text="never there")
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # The server does not see that there is nobody any more.
                cursor.execute("SELECT pg_sleep(600)")
        time.sleep(600)


class LiveTests(LiveServerTestCase):
    def test_sees(self):
        Note.objects.create(text="seen")
        with urlopen(f"{self.live_server_url}/notes") as answer:
            self.assertEqual(answer.read(), b"1")


class AsyncTests(TestCase):
    async def test_sees(self):
        await Note.objects.acreate(text="seen")
        answer = await self.async_client.get("/notes")
        self.assertEqual(answer.content, b"1")


class ManyDatabasesTests(TestCase):
    databases = "__all__"

    def test_same(self):
        names = {each.settings_dict["NAME"] for each in connections.all()}
        self.assertEqual(len(names), 1)
        self.assertIn("fork", str(names))


class NoDatabaseTests(SimpleTestCase):
    def test_nothing(self):
        pass
