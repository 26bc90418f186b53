import json

import pytest

from ci_cache_isolation.running.order_file import Cache, OrderFile
from ci_cache_isolation.running.recorded_order import OrderFileError, recorded_order

ORDER = OrderFile(
    name="random 7 reversed",
    runner="pytest",
    cache=Cache.SHARED,
    hash_seed="12",
    labels=("-k", "é"),
    order=("b", "a"),
)


def test_what_was_written_is_read(tmp_path):
    ORDER.write(tmp_path / "order.json")
    assert OrderFile.read(tmp_path / "order.json") == ORDER
    assert recorded_order(tmp_path / "order.json") == ORDER


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nonsense", "it is no JSON"),
        ("[]", "Expected `object`, got `array`"),
        ('{"schema": 1}', "schema is 1, not 2"),
        ('{"schema": 2}', "Object missing required field `name`"),
    ],
)
def test_another_file_is_refused_with_what_was_found(tmp_path, text, found):
    path = tmp_path / "order.json"
    path.write_text(text)
    with pytest.raises(OrderFileError) as caught:
        recorded_order(path)
    assert f"({found})" in str(caught.value)
    assert str(path) in str(caught.value)
    assert "'cache-isolation stress' and 'audit' write them" in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(OrderFileError, match="No such file"):
        recorded_order(tmp_path / "none.json")


def test_caches_that_are_neither_shared_nor_isolated_are_refused(tmp_path):
    path = tmp_path / "order.json"
    ORDER.write(path)
    values = json.loads(path.read_text())
    values["cache"] = "sideways"
    path.write_text(json.dumps(values))
    with pytest.raises(OrderFileError, match=r"at `\$\.cache`, which is 'sideways'"):
        recorded_order(path)
