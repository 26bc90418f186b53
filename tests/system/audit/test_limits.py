"""``cache-isolation audit`` within a time: what was begun first is known."""

from tests.audits import audit, report_of

SLOW = """\
import time

from django.core.cache import cache
from django.test import SimpleTestCase


class SlowTests(SimpleTestCase):
    pass


for number in range(8):

    def test_leaves(self, key=f"key{number}"):
        time.sleep(0.1)
        cache.set(key, 1)

    def test_looks(self, key=f"key{number}"):
        time.sleep(0.1)
        found = cache.get(key)
        if LEAKS:
            self.assertIsNone(found)

    setattr(SlowTests, f"test_{number}_leaves", test_leaves)
    setattr(SlowTests, f"test_{number}_looks", test_looks)
"""
LABEL = ("--runner", "django", "shop.test_slow")


def write(corpus, *, leaks):
    source = SLOW.replace("LEAKS", str(leaks))
    (corpus.folder / "shop" / "test_slow.py").write_text(source)


def test_what_was_not_put_to_the_test_for_lack_of_time_is_not_clean(corpus):
    write(corpus, leaks=False)
    done = audit(corpus, "--minutes", "0.005", *LABEL)
    assert (done.code, done.err) == (5, ""), done.out
    assert "No leak was proved, but not all was put to the test." in done.out
    assert report_of(corpus)["findings"] == []
    assert "8 conflicts were not put to the test" in done.out
    assert "changed no outcome" not in done.out
    done = audit(corpus, "--minutes", "0.005", "--allow-incomplete", *LABEL)
    assert (done.code, done.err) == (0, ""), done.out
