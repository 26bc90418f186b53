"""Traces first: what tests leave is found, and whom it changes, in a few runs."""

from textwrap import dedent

from tests.commands import copied

LEAVING = """
    import os
    from django.conf import settings
    from django.test import SimpleTestCase
    from small import kept

    class ATests(SimpleTestCase):
        def test_a_nothing_is_kept(self):
            assert kept.found == {}

        def test_b_something_is_kept(self):
            kept.found["a"] = 1

        def test_c_all_is_forgotten(self):
            kept.found.clear()

        def test_d_region_is_none(self):
            assert os.environ.get("REGION") is None

        def test_e_region_is_given(self):
            os.environ["REGION"] = "north"

        def test_f_region_is_taken(self):
            os.environ.pop("REGION", None)

        def test_g_limit_is_small(self):
            assert kept.Card.limit < 10

        def test_h_limit_is_large(self):
            kept.Card.limit = 20

        def test_i_limit_is_normal(self):
            kept.Card.limit = 5

        def test_j_one_look_alike(self):
            kept.looked.append(1)
            kept.looked.pop()

        def test_k_counts_and_nobody_reads(self):
            kept.counted += 1

        def test_l_is_filled_once(self):
            assert kept.lazily() == "made"

        def test_m_needs_one_that_is_ready(self):
            assert kept.ready

        def test_n_makes_ready(self):
            kept.ready = True
"""
KEPT = """
    found = {}
    looked = []
    counted = 0
    ready = False
    made = None

    class Card:
        limit = 5

    def lazily():
        global made
        made = made or "made"
        return made
"""
FOUND = {
    "test_a_nothing_is_kept": ("victim", "small.kept.found['a']", "small.kept.found"),
    "test_d_region_is_none": (
        "victim",
        "os.environ['REGION']",
        "os.environ['REGION']",
    ),
    "test_g_limit_is_small": (
        "victim",
        "small.kept.Card.limit",
        "small.kept.Card.limit",
    ),
    "test_m_needs_one_that_is_ready": ("brittle", "small.kept.ready", None),
}


def test_what_is_left_is_found_named_and_cured(tmp_path):
    find_what_is_left(copied("small", tmp_path), "django", "cases.test_leaving")


def find_what_is_left(small, runner, label):
    """Run no random order: cleaners stand behind each polluter, and hide it."""
    (small.folder / "small" / "kept.py").write_text(dedent(KEPT))
    (small.folder / "cases" / "test_leaving.py").write_text(dedent(LEAVING))
    done = small.stress(
        *("--runner", runner, "--orders", "0", "--split", "0", "--seed", "1"),
        label,
        CI_CACHE_ISOLATION_TRACES="on",
    )
    assert done.code == 1, done.err
    report = small.report()
    found = {}
    for each in report["findings"]:
        name = each["test"].rpartition(".")[2].rpartition("::")[2]
        state = each["state"] or {"name": None, "cure": [None]}
        found[name] = each["verdict"], state["name"], (*state["cure"], None)[0]
    assert found == FOUND
    # And who leaves what, and for whom it matters.
    left = {each["name"]: each for each in report["traces"]}
    assert left["small.kept.found['a']"]["victims"] == 1
    assert left["small.kept.counted"]["victims"] == 0
    assert left["small.kept.counted"]["left_by"] == 1
    assert "small.kept.looked" not in left


FIXTURES = """
    import pytest
    from small import kept

    @pytest.fixture(scope="session")
    def ready():
        kept.ready = True
        yield
        kept.ready = False

    @pytest.fixture(scope="module")
    def large():
        kept.Card.limit = 20
        yield
        kept.Card.limit = 5

    def test_a_is_as_ever():
        assert kept.counted == 0

    def test_b_is_ready(ready):
        assert kept.ready

    def test_c_is_large(large, ready):
        assert kept.ready
        assert kept.Card.limit == 20

    def test_d_is_tidy():
        kept.found.clear()

    def test_e_finds(ready, large):
        kept.found["a"] = 1

    def test_f_is_tidy_too():
        kept.found.clear()

    def test_g_is_still_ready(ready, large):
        assert kept.ready
        assert kept.Card.limit == 20
        assert kept.found == {}
"""


def test_what_wider_fixtures_did_in_the_middle_of_a_test_is_nobodys_trace(tmp_path):
    small = copied("small", tmp_path)
    (small.folder / "small" / "kept.py").write_text(dedent(KEPT))
    (small.folder / "cases" / "test_fixtures.py").write_text(dedent(FIXTURES))
    done = small.stress(
        *("--runner", "pytest", "--orders", "0", "--split", "0", "--seed", "1"),
        "cases/test_fixtures.py",
        CI_CACHE_ISOLATION_TRACES="on",
    )
    assert done.code == 1, done.err
    report = small.report()
    # No order shows it: somebody tidies up on both sides.
    assert [run["failed"] for run in report["runs"]] == [[]] * 3
    [found] = report["findings"]
    assert found["test"].endswith("::test_g_is_still_ready")
    assert (found["verdict"], found["state"]["name"]) == (
        "victim",
        "small.kept.found['a']",
    )
    assert "small.kept.ready" not in {each["name"] for each in report["traces"]}


def test_a_database_that_was_not_made_for_tests_is_not_opened(tmp_path):
    """Nothing in the process carries it, so tables are next; no test needs any."""
    shaken, theirs = copied("shaken", tmp_path), tmp_path / "theirs.sqlite3"
    settings = shaken.folder / "shaken" / "settings.py"
    settings.write_text(settings.read_text().replace('":memory:"', repr(str(theirs))))
    done = shaken.stress(
        *("--runner", "django", "--orders", "0", "--split", "0"),
        "desk.test_memory.OpeningTests.test_first_number_is_one",
    )
    assert done.code == 1, done.err
    [found] = shaken.report()["findings"]
    assert (found["verdict"], found["state"]) == ("self-polluting", None)
    assert not theirs.exists()
