"""Leaks through the process and through Django: settings, environment, folder, locale.

In all classes the victims come first, by name.
"""

import contextlib
import datetime as dt
import logging
import os
import tempfile
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.core.cache import caches
from django.test import SimpleTestCase, override_settings
from django.utils import timezone, translation

from desk import lending

TOKYO = dt.timezone(dt.timedelta(hours=9), "Tokyo")


def note(**_):
    """Receive a signal."""
    return "noted"


class AtTheDeskTests(SimpleTestCase):
    def test_desk_is_on_the_first_floor(self):
        self.assertEqual(settings.DESK_FLOOR, 1)

    def test_desk_is_on_the_second_floor(self):
        with self.settings(DESK_FLOOR=2):
            self.assertEqual(settings.DESK_FLOOR, 2)

    def test_desk_is_the_main_desk(self):
        self.assertEqual(settings.DESK_NAME, "Main Desk")


class BranchTests(SimpleTestCase):
    """Settings that are changed while a class is set up: each of its tests pollutes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        settings.DESK_NAME = "Branch"

    def test_branch_has_a_name(self):
        self.assertEqual(settings.DESK_NAME, "Branch")

    def test_branch_is_not_the_main_desk(self):
        self.assertNotEqual(settings.DESK_NAME, "Main Desk")


class DeskNameTests(SimpleTestCase):
    def test_name_is_set_back(self):
        settings.DESK_NAME = "Main Desk"
        self.assertEqual(settings.DESK_NAME, "Main Desk")

    def test_name_of_the_mobile_desk(self):
        settings.DESK_NAME = "Bus"
        self.assertEqual(settings.DESK_NAME, "Bus")

    @override_settings(DESK_NAME="Tent")
    def test_name_of_the_summer_desk(self):
        self.assertEqual(settings.DESK_NAME, "Tent")


class FileTests(SimpleTestCase):
    """A file at a place that all tests know."""

    def test_list_is_not_there(self):
        self.assertFalse(lending.exports.path("list.csv").exists())

    def test_list_is_removed(self):
        lending.exports.path("list.csv").unlink(missing_ok=True)
        self.assertFalse(lending.exports.path("list.csv").exists())

    def test_list_is_written(self):
        lending.exports.path("list.csv").write_text("Emma\n")
        self.assertEqual(lending.exports.path("list.csv").read_text(), "Emma\n")

    def test_list_of_one_s_own(self):
        path = lending.exports.path("own.csv")
        path.write_text("Emma\n")
        self.addCleanup(path.unlink)
        self.assertTrue(path.exists())


class FolderTests(SimpleTestCase):
    """The folder that the process is in."""

    def test_a_relative_path_is_found(self):
        self.assertTrue(Path("manage.py").exists())

    def test_goes_elsewhere(self):
        os.chdir(tempfile.gettempdir())
        self.assertFalse(Path("manage.py").exists())

    def test_goes_elsewhere_and_comes_back(self):
        with contextlib.chdir(tempfile.gettempdir()):
            self.assertFalse(Path("manage.py").exists())

    def test_goes_home(self):
        os.chdir(settings.BASE_DIR)
        self.assertTrue(Path("manage.py").exists())


class ForeignTests(SimpleTestCase):
    """The class can't be set up: both its tests are victims."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "DESK_REGION" in os.environ:
            raise ValueError(os.environ["DESK_REGION"])

    def test_no_region_is_foreign(self):
        self.assertNotIn("DESK_REGION", os.environ)

    def test_nothing_is_foreign(self):
        self.assertIsNone(os.environ.get("DESK_REGION"))


class RegionTests(SimpleTestCase):
    def test_region_is_given(self):
        os.environ["DESK_REGION"] = "north"
        self.assertEqual(os.environ["DESK_REGION"], "north")

    def test_region_is_given_for_a_while(self):
        with mock.patch.dict(os.environ, DESK_REGION="south"):
            self.assertEqual(os.environ["DESK_REGION"], "south")


class LanguageTests(SimpleTestCase):
    def test_days_are_english(self):
        self.assertEqual(translation.gettext("Monday"), "Monday")

    def test_days_are_french(self):
        translation.activate("fr")
        self.assertEqual(translation.gettext("Monday"), "lundi")

    def test_days_are_german(self):
        translation.activate("de")
        self.assertEqual(translation.gettext("Monday"), "Montag")

    def test_days_are_spanish_for_a_while(self):
        with translation.override("es"):
            self.assertEqual(translation.gettext("Monday"), "lunes")

    def test_no_language_is_active(self):
        translation.deactivate()
        self.assertEqual(translation.get_language(), "en-us")


class LogTests(SimpleTestCase):
    def test_loan_is_logged(self):
        with self.assertLogs("desk", "INFO"):
            lending.logger.info("lent")

    def test_logging_is_switched_off(self):
        logging.disable(logging.CRITICAL)
        self.assertFalse(lending.logger.isEnabledFor(logging.ERROR))

    def test_logging_is_switched_off_for_a_while(self):
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, before)
        self.assertFalse(lending.logger.isEnabledFor(logging.ERROR))


class MockedTests(SimpleTestCase):
    """A method of a cache is replaced: no entry is left that isolation could hide."""

    def test_many_are_got(self):
        self.assertEqual(caches["second"].get_many(["mocked"]), {})

    def test_many_are_mocked(self):
        caches["second"].get_many = mock.Mock(return_value={"mocked": True})
        self.assertEqual(caches["second"].get_many(["mocked"]), {"mocked": True})

    def test_many_are_mocked_for_a_while(self):
        with mock.patch.object(caches["second"], "get_many", return_value={"a": 1}):
            self.assertEqual(caches["second"].get_many(["mocked"]), {"a": 1})


class SignalTests(SimpleTestCase):
    def test_nobody_listens(self):
        self.assertEqual(lending.book_lent.send(sender=None), [])

    def test_somebody_listens(self):
        lending.book_lent.connect(note)
        self.assertIn((note, "noted"), lending.book_lent.send(sender=None))

    def test_somebody_listens_no_more(self):
        lending.book_lent.connect(note)
        lending.book_lent.disconnect(note)
        self.assertEqual(lending.book_lent.send(sender=None), [])

    def test_somebody_who_is_gone_listens(self):
        def gone(**_):
            return "gone"

        lending.book_lent.connect(gone)
        answers = [answer for _, answer in lending.book_lent.send(sender=None)]
        self.assertIn("gone", answers)


class TimeZoneTests(SimpleTestCase):
    def test_time_is_that_of_greenwich(self):
        self.assertEqual(timezone.get_current_timezone_name(), "UTC")

    def test_time_is_that_of_tokyo(self):
        timezone.activate(TOKYO)
        self.assertEqual(timezone.get_current_timezone_name(), "Tokyo")

    def test_time_is_that_of_tokyo_for_a_while(self):
        with timezone.override(TOKYO):
            self.assertEqual(timezone.get_current_timezone_name(), "Tokyo")
