"""Attributes of modules, classes, objects and functions; what functions hold.

Of each class the first test is the victim of the second; the third harms nobody.
"""

import logging
from unittest import mock

from django.test import SimpleTestCase

from shop import kept


class ReboundTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.limit, 5)

    def test_b_left(self):
        kept.limit = 9

    def test_c_put_back(self):
        with mock.patch.object(kept, "limit", 7):
            self.assertEqual(kept.limit, 7)


class GlobalAddedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertFalse(hasattr(kept, "engine"))

    def test_b_left(self):
        kept.start_engine()

    def test_c_put_back(self):
        with mock.patch.object(kept, "lamp", "on", create=True):
            self.assertEqual(kept.lamp, "on")


class GlobalDeletedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertTrue(hasattr(kept, "feature"))

    def test_b_left(self):
        vars(kept).pop("feature", None)

    def test_c_put_back(self):
        feature = vars(kept).pop("other_feature")
        kept.other_feature = feature


class FunctionReplacedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.today(), "Monday")

    def test_b_left(self):
        kept.today = lambda: "Sunday"

    def test_c_put_back(self):
        with mock.patch.object(kept, "today", return_value="Friday"):
            self.assertEqual(kept.today(), "Friday")


class PatchStartedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.fetch(), "fetched")

    def test_b_left(self):
        mock.patch("shop.kept.fetch", return_value="mocked").start()

    def test_c_put_back(self):
        with mock.patch("shop.kept.fetch", return_value="mocked"):
            self.assertEqual(kept.fetch(), "mocked")


class ClassAttributeTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.Card.limit, 5)

    def test_b_left(self):
        kept.Card.limit = 2

    def test_c_put_back(self):
        with mock.patch.object(kept.Card, "limit", 3):
            self.assertEqual(kept.Card().limit, 3)


class ClassAttributeAddedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertFalse(hasattr(kept.Card, "badge"))

    def test_b_left(self):
        kept.Card.award()

    def test_c_put_back(self):
        with mock.patch.object(kept.Card, "ribbon", "red", create=True):
            self.assertEqual(kept.Card.ribbon, "red")


class MethodReplacedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.Till().total(), 0)

    def test_b_left(self):
        kept.Till.total = lambda _: 100

    def test_c_put_back(self):
        with mock.patch.object(kept.Till, "total", return_value=1):
            self.assertEqual(kept.Till().total(), 1)


class ClassListTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.Card.kinds, ["adult"])

    def test_b_left(self):
        kept.Card.kinds.append("child")

    def test_c_put_back(self):
        kept.Card.kinds.append("guest")
        kept.Card.kinds.remove("guest")


class SingletonTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertIsNone(kept.Service.instance)

    def test_b_left(self):
        kept.Service.get()

    def test_c_put_back(self):
        with mock.patch.object(kept.Service, "instance", "other"):
            self.assertEqual(kept.Service.get(), "other")


class RegisteredTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(list(kept.Plugin.known), ["Plugin"])

    def test_b_left(self):
        type("Other", (kept.Plugin,), {})

    def test_c_put_back(self):
        self.assertIn("Plugin", kept.Plugin.known)


class InstanceTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.counter.place, "left")

    def test_b_left(self):
        kept.counter.place = "right"

    def test_c_put_back(self):
        with mock.patch.object(kept.counter, "place", "middle"):
            self.assertEqual(kept.counter.place, "middle")


class InstanceAddedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertFalse(hasattr(kept.counter, "keeper"))

    def test_b_left(self):
        kept.counter.keep("Emma")

    def test_c_put_back(self):
        with mock.patch.object(kept.counter, "guest", "Ada", create=True):
            self.assertEqual(kept.counter.guest, "Ada")


class InstanceDeletedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertTrue(hasattr(kept.counter, "bell"))

    def test_b_left(self):
        vars(kept.counter).pop("bell", None)

    def test_c_put_back(self):
        bell = vars(kept.counter).pop("other_bell")
        kept.counter.other_bell = bell


class SlotTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.slotted.owner, "Emma")

    def test_b_left(self):
        kept.slotted.owner = "Ada"

    def test_c_put_back(self):
        with mock.patch.object(kept.slotted, "owner", "Max"):
            self.assertEqual(kept.slotted.owner, "Max")


class SlotFilledTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertFalse(hasattr(kept.slotted, "filled"))

    def test_b_left(self):
        kept.slotted.filled = True

    def test_c_put_back(self):
        kept.slotted.spare = True
        del kept.slotted.spare


class CachedPropertyTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.report.total, 3)

    def test_b_left(self):
        with mock.patch.object(kept, "parts", (5, 5)):
            self.assertGreater(kept.report.total, 0)

    def test_c_put_back(self):
        self.assertEqual(kept.report.count, 2)


class FunctionAttributeTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.lend.most, 5)

    def test_b_left(self):
        kept.lend.most = 50

    def test_c_put_back(self):
        with mock.patch.object(kept.lend, "most", 7):
            self.assertEqual(kept.lend.most, 7)


class FunctionCacheTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn(3, kept.squared.cache)

    def test_b_left(self):
        kept.squared(3)

    def test_c_put_back(self):
        self.assertEqual(kept.squared(2), 4)
        kept.squared.cache.pop(2)


class DefaultTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.collected("a"), ["a"])
        kept.collected.__defaults__[0].clear()

    def test_b_left(self):
        kept.collected("b")

    def test_c_put_back(self):
        kept.collected("c")
        kept.collected.__defaults__[0].remove("c")


class KeywordDefaultTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn("b", kept.chosen())

    def test_b_left(self):
        kept.chosen(b=1)

    def test_c_put_back(self):
        kept.chosen(c=1).pop("c")


class CellTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.ticket_now(), 0)

    def test_b_left(self):
        kept.next_ticket()

    def test_c_put_back(self):
        self.assertGreaterEqual(kept.ticket_now(), 0)


class MemoTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.memo_size(), 0)

    def test_b_left(self):
        kept.remembered(3)

    def test_c_put_back(self):
        self.assertGreaterEqual(kept.memo_size(), 0)


class PartialTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.greeted(), {"to": "all"})

    def test_b_left(self):
        kept.greeted.keywords["to"] = "Emma"

    def test_c_put_back(self):
        kept.greeted.keywords["by"] = "Ada"
        del kept.greeted.keywords["by"]


class ThreadLocalTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertIsNone(getattr(kept.of_thread, "user", None))

    def test_b_left(self):
        kept.of_thread.user = "Emma"

    def test_c_put_back(self):
        kept.of_thread.guest = "Ada"
        del kept.of_thread.guest


class LocalTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertIsNone(getattr(kept.of_task, "user", None))

    def test_b_left(self):
        kept.of_task.user = "Emma"

    def test_c_put_back(self):
        kept.of_task.guest = "Ada"
        del kept.of_task.guest


class VariableTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.tenant.get(), "nobody")

    def test_b_left(self):
        kept.tenant.set("Emma")

    def test_c_put_back(self):
        token = kept.tenant.set("Ada")
        kept.tenant.reset(token)


class ReceiverTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertFalse(kept.sold.send(sender=None))

    def test_b_left(self):
        kept.sold.connect(kept.note)

    def test_c_put_back(self):
        kept.sold.connect(kept.other_note)
        kept.sold.disconnect(kept.other_note)


class HandlerTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.logger.handlers, [])

    def test_b_left(self):
        kept.logger.addHandler(logging.NullHandler())

    def test_c_put_back(self):
        handler = logging.NullHandler()
        kept.logger.addHandler(handler)
        kept.logger.removeHandler(handler)
