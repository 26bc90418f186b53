import json

import pytest

from ci_cache_isolation.stress.order_file import OrderFile, OrderFileError
from ci_cache_isolation.stress.plan import Kind, Step
from ci_cache_isolation.stress.results import Cache

ORDER = OrderFile(
    step=Step(3, Kind.RANDOM, 7, reverse=True),
    runner="pytest",
    cache=Cache.SHARED,
    hash_seed="12",
    labels=("-k", "é"),
    order=("b", "a"),
)


def test_what_was_written_is_read(tmp_path):
    ORDER.write(tmp_path / "order.json")
    assert OrderFile.read(tmp_path / "order.json") == ORDER


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nonsense", "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("[]", "TypeError: pop expected at most 1 argument, got 0"),
        ('{"schema": 2}', "schema 2"),
        ('{"schema": 1}', "KeyError: 'step'"),
    ],
)
def test_another_file_is_refused_with_what_was_found(tmp_path, text, found):
    path = tmp_path / "order.json"
    path.write_text(text)
    with pytest.raises(OrderFileError) as caught:
        OrderFile.read(path)
    assert found.split(":")[0] in str(caught.value)
    assert str(path) in str(caught.value)
    assert "'cache-isolation stress' writes them to orders/" in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(OrderFileError, match="No such file"):
        OrderFile.read(tmp_path / "none.json")


def test_an_unknown_kind_is_refused(tmp_path):
    path = tmp_path / "order.json"
    ORDER.write(path)
    values = json.loads(path.read_text())
    values["step"]["kind"] = "sideways"
    path.write_text(json.dumps(values))
    with pytest.raises(OrderFileError, match="sideways"):
        OrderFile.read(path)
