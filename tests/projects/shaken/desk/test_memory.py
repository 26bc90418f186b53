"""Leaks through what modules, classes and functions keep. Caches take no part."""

import datetime as dt
from unittest import expectedFailure, mock

from django.test import SimpleTestCase

from desk import lending


class CardTests(SimpleTestCase):
    """The polluter stands in the same class; the victim is a coroutine."""

    async def test_cards_are_for_five_books(self):
        self.assertEqual(lending.Card.limit, 5)

    def test_cards_of_children_are_for_two_books(self):
        lending.Card.limit = 2
        self.assertEqual(lending.Card().limit, 2)

    def test_colour_is_patched_and_put_back(self):
        with mock.patch.object(lending.Card, "colour", "red"):
            self.assertEqual(lending.Card.colour, "red")

    def test_colour_of_cards_is_green(self):
        self.assertEqual(lending.Card.colour, "green")

    def test_colour_of_one_card_is_its_own(self):
        card = lending.Card()
        card.colour = "blue"
        self.assertEqual(card.colour, "blue")


class CheckDigitTests(SimpleTestCase):
    def test_check_digit(self):
        self.assertEqual(lending.check_digit(12345), 4)

    def test_check_digit_once_more(self):
        self.assertEqual(lending.check_digit(12345), 4)

    def test_check_digit_is_kept(self):
        lending.check_digit(99)
        before = lending.check_digit.cache_info().hits
        lending.check_digit(99)
        self.assertEqual(lending.check_digit.cache_info().hits, before + 1)


class ExportTests(SimpleTestCase):
    """A test that needs what another one has set up, in a module's global."""

    def test_a_csv_exporter_is_registered(self):
        lending.exporters["csv"] = ",".join
        self.assertIn("csv", lending.exporters)

    def test_loans_are_exported_as_csv(self):
        self.assertEqual(lending.exporters["csv"](["a", "b"]), "a,b")

    def test_loans_are_exported_as_text(self):
        self.assertEqual(lending.exporters["text"](1), "1")


class ExporterTests(SimpleTestCase):
    def test_exporters_are_reset(self):
        lending.exporters.pop("csv", None)
        self.assertEqual(list(lending.exporters), ["text"])

    def test_no_exporter_for_pdf(self):
        self.assertNotIn("pdf", lending.exporters)

    def test_one_exporter_for_csv_is_as_good_as_another(self):
        lending.exporters["csv"] = lambda names: ",".join(map(str, names))
        self.assertEqual(lending.exporters["csv"]([1, 2]), "1,2")


class FeeTests(SimpleTestCase):
    """Memoised functions that were called while something else was patched."""

    def test_fee_for_late_books_is_two(self):
        self.assertEqual(lending.fee("late"), 2)

    def test_fee_in_winter(self):
        lending.fee.cache_clear()
        with mock.patch.dict(lending.FEES, {"late": 9}):
            self.assertEqual(lending.fee("late"), 9)

    def test_fee_is_looked_up_anew(self):
        lending.fee.cache_clear()
        with mock.patch.dict(lending.FEES, {"late": 7}):
            self.assertEqual(lending.fee("late"), 7)
        lending.fee.cache_clear()

    def test_fee_of_books_that_do_not_exist(self):
        with self.assertRaises(KeyError):  # noqa: PT027 -- this is unittest
            lending.fee("burnt")


class FeeWithTaxTests(SimpleTestCase):
    """What is expected to fail passes, all of a sudden; and that is a failure."""

    @expectedFailure
    def test_tax_is_to_be_changed(self):
        self.assertEqual(lending.fee_with_tax("torn"), 6)

    def test_tax_of_next_year(self):
        lending.fee_with_tax.cache_clear()
        with mock.patch.dict(lending.FEES, {"torn": 3}):
            self.assertEqual(lending.fee_with_tax("torn"), 6)


class LoanTests(SimpleTestCase):
    def test_no_book_is_lent(self):
        self.assertEqual(lending.loans, [])

    def test_one_book_is_lent(self):
        lending.lend("Emma")
        self.assertIn("Emma", lending.loans)


class LockTests(SimpleTestCase):
    """It takes two: both doors have to be locked."""

    def test_a_door_is_open(self):
        self.assertFalse({"front", "back"} <= lending.locks)

    def test_back_door_is_locked(self):
        lending.locks.add("back")
        self.assertIn("back", lending.locks)

    def test_side_door_is_locked(self):
        lending.locks.add("side")
        self.assertIn("side", lending.locks)


class MostTests(SimpleTestCase):
    """A function's attribute, replaced for good; the victim fails in a sub-test."""

    def test_books_can_be_lent(self):
        for count in (1, 40):
            with self.subTest(count=count):
                self.assertGreater(lending.lend.most, count)

    def test_most_books(self):
        lending.lend.most = 30
        self.assertEqual(lending.lend.most, 30)

    def test_most_books_for_a_while(self):
        before = lending.lend.most
        self.addCleanup(setattr, lending.lend, "most", before)
        lending.lend.most = 20
        self.assertEqual(lending.lend.most, 20)


class OpeningTests(SimpleTestCase):
    """Each of them fails the second time in a row, and harms nobody else."""

    def test_desk_is_opened(self):
        lending.opened.append("morning")
        self.assertEqual(lending.opened, ["morning"])

    def test_first_number_is_one(self):
        self.assertEqual(next(lending.numbers), 1)


class ReturnTests(SimpleTestCase):
    def test_all_books_come_back(self):
        lending.loans.append("Persuasion")
        lending.loans.clear()
        self.assertEqual(lending.loans, [])

    def test_book_comes_back_at_once(self):
        lending.lend("Lady Susan")
        lending.loans.remove("Lady Susan")
        self.assertNotIn("Lady Susan", lending.loans)

    def test_two_books_are_lent(self):
        lending.loans.extend(["Emma", "Sanditon"])
        self.assertGreaterEqual(len(lending.loans), 2)


class StillLockedTests(SimpleTestCase):
    def test_front_door_is_locked(self):
        lending.locks.add("front")
        self.assertIn("front", lending.locks)

    def test_key_turns(self):
        self.assertTrue(lending.locks <= {"front", "back", "side"})


class TodayTests(SimpleTestCase):
    def test_this_is_not_the_last_century(self):
        self.assertGreater(lending.today().year, 2000)

    def test_today_is_a_holiday(self):
        lending.today = lambda: dt.date(1999, 12, 24)
        self.assertEqual(lending.today().month, 12)

    def test_today_is_patched_for_a_while(self):
        with mock.patch.object(lending, "today", return_value="Monday"):
            self.assertEqual(lending.today(), "Monday")


class UnlockTests(SimpleTestCase):
    def test_doors_are_unlocked(self):
        lending.locks.clear()
        self.assertEqual(lending.locks, set())
