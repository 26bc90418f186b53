"""Containers of every built-in kind, in a module of the project.

Of each class the first test is the victim of the second; the third harms nobody.
"""

from unittest import mock

from django.test import SimpleTestCase

from shop import kept


class AddedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn("EUR", kept.rates)

    def test_b_left(self):
        kept.rates["EUR"] = 2

    def test_c_put_back(self):
        with mock.patch.dict(kept.rates, USD=9):
            self.assertEqual(kept.rates["USD"], 9)


class ChangedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.fees["late"], 1)

    def test_b_left(self):
        kept.fees["late"] = 2

    def test_c_put_back(self):
        with mock.patch.dict(kept.fees, late=3):
            self.assertEqual(kept.fees["late"], 3)


class RemovedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertIn("tea", kept.stock)

    def test_b_left(self):
        kept.stock.pop("tea", None)

    def test_c_put_back(self):
        kept.stock["milk"] = kept.stock.pop("milk")


class ClearedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertIn("autumn", kept.offers)

    def test_b_left(self):
        kept.offers.clear()

    def test_c_put_back(self):
        with mock.patch.dict(kept.offers, clear=True):
            self.assertFalse(kept.offers)


class NestedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.tree["root"]["leaves"], 3)

    def test_b_left(self):
        kept.tree["root"]["leaves"] = 4

    def test_c_put_back(self):
        with mock.patch.dict(kept.tree["root"], leaves=5):
            self.assertEqual(kept.tree["root"]["leaves"], 5)


class OrderedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(next(iter(kept.queue)), "first")

    def test_b_left(self):
        kept.queue.move_to_end("first")

    def test_c_put_back(self):
        kept.queue["third"] = 3
        del kept.queue["third"]


class SequenceTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(list(kept.menu), ["soup", "bread"])

    def test_b_left(self):
        kept.menu["soup"] = kept.menu.pop("soup")

    def test_c_put_back(self):
        kept.menu["tea"] = 3
        del kept.menu["tea"]


class DefaultTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(len(kept.grouped), 1)

    def test_b_left(self):
        kept.grouped["nobody"]

    def test_c_put_back(self):
        self.assertIn("somebody", kept.grouped)


class CounterTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.counts["sold"], 0)

    def test_b_left(self):
        kept.counts["sold"] += 1

    def test_c_put_back(self):
        kept.counts["seen"] += 1


class DictSubclassTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn("a", kept.registry)

    def test_b_left(self):
        kept.registry["a"] = 1

    def test_c_put_back(self):
        kept.registry["b"] = 1
        del kept.registry["b"]


class DictAttributeTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertFalse(kept.labelled.is_closed)

    def test_b_left(self):
        kept.labelled.is_closed = True

    def test_c_put_back(self):
        with mock.patch.object(kept.labelled, "is_closed", new=True):
            self.assertTrue(kept.labelled.is_closed)


class UserDictTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn("a", kept.box)

    def test_b_left(self):
        kept.box["a"] = 1

    def test_c_put_back(self):
        kept.box["b"] = 1
        del kept.box["b"]


class ChainedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn("a", kept.chained)

    def test_b_left(self):
        kept.chained["a"] = 1

    def test_c_put_back(self):
        kept.chained["b"] = 1
        del kept.chained["b"]


class ListTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.loans, [])

    def test_b_left(self):
        kept.loans.append("book")

    def test_c_put_back(self):
        kept.loans.append("map")
        kept.loans.remove("map")


class SortedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.shelf[0], "b")

    def test_b_left(self):
        kept.shelf.sort()

    def test_c_put_back(self):
        self.assertEqual(sorted(kept.shelf), ["a", "b", "c"])


class ListSubclassTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(len(kept.lines), 0)

    def test_b_left(self):
        kept.lines.append("tea")

    def test_c_put_back(self):
        kept.lines.append("milk")
        kept.lines.pop()


class GridTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.grid[1], [3, 4])

    def test_b_left(self):
        kept.grid[1][0] = 9

    def test_c_put_back(self):
        kept.grid[0].append(5)
        kept.grid[0].pop()


class SetTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn("red", kept.colours)

    def test_b_left(self):
        kept.colours.add("red")

    def test_c_put_back(self):
        kept.colours.add("blue")
        kept.colours.discard("blue")


class SetDiscardedTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertIn("shop", kept.open_doors)

    def test_b_left(self):
        kept.open_doors.discard("shop")

    def test_c_put_back(self):
        self.assertNotIn("cellar", kept.open_doors)


class DequeTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(len(kept.latest), 0)

    def test_b_left(self):
        kept.latest.append("sold")

    def test_c_put_back(self):
        kept.latest.append("seen")
        kept.latest.pop()


class BytesTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.buffer, b"")

    def test_b_left(self):
        kept.buffer.extend(b"abc")

    def test_c_put_back(self):
        kept.buffer.append(1)
        kept.buffer.pop()


class ArrayTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(len(kept.sums), 0)

    def test_b_left(self):
        kept.sums.append(7)

    def test_c_put_back(self):
        kept.sums.append(8)
        kept.sums.pop()


class InTupleTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn("a", kept.pair[0])

    def test_b_left(self):
        kept.pair[0]["a"] = 1

    def test_c_put_back(self):
        kept.pair[0]["b"] = 1
        del kept.pair[0]["b"]


class InDictTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertEqual(kept.cards["emma"].limit, 5)

    def test_b_left(self):
        kept.cards["emma"].limit = 9

    def test_c_put_back(self):
        with mock.patch.object(kept.cards["emma"], "limit", 7):
            self.assertEqual(kept.cards["emma"].limit, 7)


class TupleKeyTests(SimpleTestCase):
    def test_a_as_it_was(self):
        self.assertNotIn(("a", 1), kept.priced)

    def test_b_left(self):
        kept.priced["a", 1] = 5

    def test_c_put_back(self):
        kept.priced["b", 2] = 6
        del kept.priced["b", 2]
