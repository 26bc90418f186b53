"""Leaks that are more than a polluter and its victim."""

from unittest import mock

from django.test import SimpleTestCase

from shop import kept


class TwoTogetherTests(SimpleTestCase):
    """Only both of them open the shop."""

    def test_a_shop_is_closed(self):
        self.assertNotEqual((bool(kept.doors), bool(kept.alarms)), (True, True))

    def test_b_door_is_open(self):
        kept.doors.add("front")

    def test_c_alarm_is_off(self):
        kept.alarms["front"] = "off"


class ThreeTogetherTests(SimpleTestCase):
    def test_a_not_all_are_there(self):
        self.assertLess(len(kept.tills), 3)

    def test_b_one(self):
        kept.tills["one"] = 1

    def test_c_two(self):
        kept.tills["two"] = 2

    def test_d_three(self):
        kept.tills["three"] = 3


class SelfPollutingTests(SimpleTestCase):
    def test_a_opens_once(self):
        self.assertEqual(kept.opened, [])
        kept.opened.append("shop")

    def test_b_visits_once(self):
        kept.visits += 1
        self.assertEqual(kept.visits, 1)

    def test_c_closes_what_it_opens(self):
        kept.keys.append("front")
        self.assertEqual(len(kept.keys), 1)
        kept.keys.clear()


class BrittleTests(SimpleTestCase):
    """Fails alone: somebody else has to register what it needs."""

    def test_a_exports_as_csv(self):
        self.assertIn("csv", kept.exporters)

    def test_b_csv_is_registered(self):
        kept.exporters["csv"] = repr

    def test_c_is_registered_for_a_while(self):
        with mock.patch.dict(kept.exporters, csv=repr):
            self.assertIn("csv", kept.exporters)


class BrittleFlagTests(SimpleTestCase):
    def test_a_is_ready(self):
        self.assertTrue(kept.ready)

    def test_b_gets_ready(self):
        kept.ready = True


class CleanedTests(SimpleTestCase):
    """In every order that the file is run in as it stands nobody sees it."""

    def test_a_it_is_summer(self):
        self.assertEqual(kept.season, "summer")

    def test_b_winter_comes(self):
        kept.season = "winter"

    def test_c_summer_comes_again(self):
        kept.season = "summer"


class PaintedTests(SimpleTestCase):
    """Three paint, and two mind."""

    def test_a_is_bare(self):
        self.assertEqual(kept.paints, [])

    def test_b_is_not_red(self):
        self.assertNotIn("red", kept.paints)

    def test_c_red(self):
        kept.paints.append("red")

    def test_d_red_too(self):
        kept.paints.append("red")

    def test_e_blue(self):
        kept.paints.append("blue")

    def test_f_blue_for_a_while(self):
        kept.paints.append("blue")
        kept.paints.pop()


class BareTableTests(SimpleTestCase):
    def test_a_nothing_is_laid(self):
        self.assertNotIn("laid", kept.tables)


class LaidTests(SimpleTestCase):
    """What a class sets up and leaves: each of its tests is a polluter."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kept.tables["laid"] = True

    def test_a_is_laid(self):
        self.assertTrue(kept.tables["laid"])

    def test_b_is_laid_too(self):
        self.assertTrue(kept.tables["laid"])


class LaidAndClearedTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(mock.patch.dict(kept.tables, set=True))

    def test_a_is_set(self):
        self.assertTrue(kept.tables["set"])


class EmptyHallTests(SimpleTestCase):
    """It can't be set up: both its tests are victims."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if kept.hall:
            raise ValueError("the hall is in use")

    def test_a_is_empty(self):
        self.assertEqual(kept.hall, {})

    def test_b_is_quiet(self):
        self.assertNotIn("noise", kept.hall)


class HallTests(SimpleTestCase):
    def test_a_hall_is_used(self):
        kept.hall["used"] = True

    def test_b_hall_is_used_for_a_while(self):
        with mock.patch.dict(kept.hall, used=True):
            self.assertTrue(kept.hall)


class CellarTests(SimpleTestCase):
    """One makes its victim's set-up of each test fail."""

    def setUp(self):
        self.assertNotIn("flood", kept.cellar)

    def test_a_is_dry(self):
        self.assertEqual(kept.cellar.get("water"), None)


class FloodTests(SimpleTestCase):
    def test_a_floods(self):
        kept.cellar["flood"] = True

    def test_b_floods_somewhere_else(self):
        kept.cellar["garden"] = True


class AlikeTests(SimpleTestCase):
    """What is left here changes nothing for anybody."""

    def test_a_is_looked_up(self):
        kept.looked_up["a"] = kept.looked_up.get("a", 1)
        self.assertEqual(kept.looked_up["a"], 1)

    def test_b_is_looked_up_again(self):
        kept.looked_up["a"] = kept.looked_up.get("a", 1)
        self.assertEqual(kept.looked_up["a"], 1)

    def test_c_grows(self):
        kept.grown.append("a")
        self.assertTrue(kept.grown)

    def test_d_grows_too(self):
        kept.grown.append("b")
        self.assertTrue(kept.grown)

    def test_e_counts(self):
        kept.counted += 1

    def test_f_counts_too(self):
        kept.counted += 1
        self.assertGreater(kept.counted, 0)
