"""What is around the tests: settings, environment, and what no container holds.

Of each class the first test is the victim of the second; the third harms nobody.
"""

import contextlib
import decimal
import gc
import locale
import logging
import os
import signal
import socket
import sys
import tempfile
import uuid
from pathlib import Path
from unittest import mock

from django import urls
from django.conf import settings
from django.test import SimpleTestCase
from django.utils import timezone, translation

from shop import kept


def umask():
    found = os.umask(0)
    os.umask(found)
    return found


class EnvironmentTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn("SHOP_REGION", os.environ)

    def test_b_left(self):
        os.environ["SHOP_REGION"] = "north"

    def test_c_put_back(self):
        with mock.patch.dict(os.environ, SHOP_REGION="south"):
            self.assertEqual(os.environ["SHOP_REGION"], "south")


class EnvironmentRemovedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(os.environ["SHOP_NAME"], "Corner")

    def test_b_left(self):
        os.environ.pop("SHOP_NAME", None)

    def test_c_put_back(self):
        with mock.patch.dict(os.environ, SHOP_NAME="Other"):
            self.assertEqual(os.environ["SHOP_NAME"], "Other")


class SettingTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(settings.SHOP_FLOOR, 1)

    def test_b_left(self):
        settings.SHOP_FLOOR = 2

    def test_c_put_back(self):
        with self.settings(SHOP_FLOOR=3):
            self.assertEqual(settings.SHOP_FLOOR, 3)


class SettingDictTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(settings.SHOP["rooms"], 1)

    def test_b_left(self):
        settings.SHOP["rooms"] = 2

    def test_c_put_back(self):
        with mock.patch.dict(settings.SHOP, rooms=3):
            self.assertEqual(settings.SHOP["rooms"], 3)


class SettingAddedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertFalse(hasattr(settings, "SHOP_SIGN"))

    def test_b_left(self):
        settings.SHOP_SIGN = "open"

    def test_c_put_back(self):
        with self.settings(SHOP_DOOR="open"):
            self.assertEqual(settings.SHOP_DOOR, "open")


class FolderTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertTrue(Path("manage.py").exists())

    def test_b_left(self):
        os.chdir(tempfile.gettempdir())

    def test_c_put_back(self):
        with contextlib.chdir(tempfile.gettempdir()):
            self.assertTrue(Path.cwd().exists())


class UmaskTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(umask(), kept.UMASK)

    def test_b_left(self):
        os.umask(0o077)

    def test_c_put_back(self):
        before = os.umask(0o027)
        os.umask(before)


class LocaleTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(locale.setlocale(locale.LC_TIME), "C")

    def test_b_left(self):
        locale.setlocale(locale.LC_TIME, "C.UTF-8")

    def test_c_put_back(self):
        self.assertTrue(locale.localeconv())


class DecimalTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(decimal.Decimal(1) / 3, kept.THIRD)

    def test_b_left(self):
        decimal.getcontext().prec = 3

    def test_c_put_back(self):
        with decimal.localcontext() as context:
            context.prec = 5
            self.assertEqual(decimal.Decimal(1) / 2, decimal.Decimal("0.5"))


class LanguageTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(translation.gettext("Monday"), "Monday")

    def test_b_left(self):
        translation.activate("de")

    def test_c_put_back(self):
        with translation.override("fr"):
            self.assertEqual(translation.gettext("Monday"), "lundi")


class TimeZoneTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(timezone.get_current_timezone_name(), "UTC")

    def test_b_left(self):
        timezone.activate(kept.TOKYO)

    def test_c_put_back(self):
        with timezone.override(kept.TOKYO):
            self.assertEqual(timezone.get_current_timezone_name(), "Tokyo")


class UrlPrefixTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(urls.get_script_prefix(), "/")

    def test_b_left(self):
        urls.set_script_prefix("/shop/")

    def test_c_put_back(self):
        self.assertTrue(urls.get_script_prefix().startswith("/"))


class UrlconfTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertIsNone(urls.get_urlconf())

    def test_b_left(self):
        urls.set_urlconf("shop.other_urls")

    def test_c_put_back(self):
        self.assertNotEqual(urls.get_urlconf(), "shop.urls")


class SignalTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(signal.getsignal(signal.SIGUSR2), signal.SIG_DFL)

    def test_b_left(self):
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)

    def test_c_put_back(self):
        before = signal.signal(signal.SIGUSR2, kept.note)
        signal.signal(signal.SIGUSR2, before)


class RecursionTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertLess(sys.getrecursionlimit(), 5000)

    def test_b_left(self):
        sys.setrecursionlimit(6000)

    def test_c_put_back(self):
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(7000)
        sys.setrecursionlimit(before)


class TimeoutTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertIsNone(socket.getdefaulttimeout())

    def test_b_left(self):
        socket.setdefaulttimeout(5)

    def test_c_put_back(self):
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(3)
        socket.setdefaulttimeout(before)


class CollectorTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertTrue(gc.isenabled())

    def test_b_left(self):
        gc.disable()

    def test_c_put_back(self):
        gc.collect()


class IntervalTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertLess(sys.getswitchinterval(), 1)

    def test_b_left(self):
        sys.setswitchinterval(2)

    def test_c_put_back(self):
        before = sys.getswitchinterval()
        sys.setswitchinterval(0.5)
        sys.setswitchinterval(before)


class ExceptHookTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertIs(sys.excepthook, sys.__excepthook__)

    def test_b_left(self):
        sys.excepthook = kept.note

    def test_c_put_back(self):
        with mock.patch.object(sys, "excepthook", kept.note):
            self.assertIs(sys.excepthook, kept.note)


class SearchPathTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn("/elsewhere", sys.path)

    def test_b_left(self):
        sys.path.append("/elsewhere")

    def test_c_put_back(self):
        sys.path.append("/nowhere")
        sys.path.remove("/nowhere")


class OthersModuleTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotEqual(uuid.uuid4(), uuid.uuid4())

    def test_b_left(self):
        uuid.uuid4 = kept.today

    def test_c_put_back(self):
        with mock.patch.object(uuid, "uuid4", kept.today):
            self.assertEqual(uuid.uuid4, kept.today)


class LoggingOffTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertTrue(kept.logger.isEnabledFor(logging.ERROR))

    def test_b_left(self):
        logging.disable(logging.CRITICAL)

    def test_c_put_back(self):
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        logging.disable(before)
