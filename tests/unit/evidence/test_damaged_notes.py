"""Notes of an audit that are damaged, or made to do harm: passed over, or sound."""

import json

import pytest

from ci_cache_isolation.evidence.conflicts import audited
from ci_cache_isolation.evidence.notes import read
from tests.damaged import TEXTS, cut, damaged

SEARCH = {"place": "redis", "prefix": "", "version": "1", "pattern": "r*"}
ENTRY = {"place": "redis", "prefix": "", "version": "1", "key": "rate"}
SITE = {"at": "a.py:1", "in_test": "b.py:2"}
LOOK = {
    "alias": "default",
    "operation": "get",
    "hit": True,
    "site": SITE,
    "holder": "",
}
LEFT = {
    "alias": "default",
    "operation": "set",
    "how": "stored",
    "deadline": 5.0,
    "site": SITE,
    "expires_in": 3.0,
}
LOOKING = {
    "name": "A.looks",
    "test": "A.looks",
    "around": ["A"],
    "during": [],
    "looked": [{"entry": ENTRY, "look": LOOK}],
    "searched": [{"search": SEARCH, "look": LOOK, "known": ["rate"]}],
    "emptied": [SEARCH],
    "tidied": [{"entry": ENTRY}],
    "left": [],
    "cleared": [],
    "names": [{"entry": ENTRY, "name": "rate:1"}],
    "seconds": 0.1,
}
LEAVING = {
    **LOOKING,
    "name": "B.leaves",
    "test": "B.leaves",
    "left": [{"entry": ENTRY, "left": LEFT}],
    "cleared": [{"place": "redis", "left": LEFT}],
}


@pytest.fixture
def found(tmp_path):
    """Read lines as an audit does; return how many conflicts there are."""

    def found(*lines):
        texts = [each if isinstance(each, bytes) else text(each) for each in lines]
        (tmp_path / "1-abc.jsonl").write_bytes(b"".join(texts))
        return len(audited(list(read(tmp_path))).conflicts)

    return found


def text(note):
    return json.dumps(note).encode() + b"\n"


def test_sound_notes_are_a_conflict(found):
    assert found(LOOKING, LEAVING) > 0


@pytest.mark.parametrize("sound", [LOOKING, LEAVING])
def test_one_with_a_fault_is_passed_over_or_can_be_used(found, sound):
    for _, each in damaged(sound):
        found(LOOKING, LEAVING, each)


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_what_is_no_note_is_passed_over(found, number):
    sound = found(LOOKING, LEAVING)
    assert found(LOOKING, TEXTS[number] + b"\n", LEAVING) == sound


def test_what_was_cut_off_is_passed_over(found):
    sound = found(LOOKING, LEAVING)
    for each in cut(text(LOOKING).rstrip(), 30):
        assert found(LOOKING, LEAVING, each) == sound
