"""Orders that are damaged, or made to do harm: refused in a sentence, or sound."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from ci_cache_isolation.commands import replay as replaying
from ci_cache_isolation.running.order_file import Cache, OrderFile
from ci_cache_isolation.running.recorded_order import OrderFileError, recorded_order
from ci_cache_isolation.running.runners import RUNNERS
from tests.damaged import TEXTS, cut, damaged

ORDER = OrderFile(
    name="random 7",
    runner="django",
    cache=Cache.SHARED,
    hash_seed="7",
    labels=("shop",),
    order=("shop.A.one", "shop.B.two"),
    is_exact=True,
    processes=2,
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "order.json"
    ORDER.write(path)
    return path


@pytest.fixture
def replayed(path, monkeypatch):
    """Call the command; return what it would run."""
    monkeypatch.chdir(path.parent)
    Path("manage.py").touch()
    Path("runtests.py").write_text("DiscoverRunner")
    started = []
    monkeypatch.setattr(
        replaying, "_replay", lambda runner, order, _: started.append((runner, order))
    )

    def call(*arguments):
        started.clear()
        result = CliRunner().invoke(replaying.replay, [str(path), *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        if not started:
            assert result.exit_code == 2
            assert result.stderr.startswith("cache-isolation: ")
            return result.stderr
        [(runner, order)] = started
        command = runner.command(order.labels, order.processes)
        # Whatever it is, the system can be asked to run it.
        assert all(b"\0" not in os.fsencode(each) for each in command)
        return command

    return call


def test_one_with_a_fault_is_refused_in_a_sentence_or_can_be_run(path, replayed):
    for place, each in damaged(json.loads(path.read_text())):
        path.write_text(json.dumps(each))
        found = replayed()
        assert isinstance(found, str) or found[1:] == [
            *("manage.py", "test", "--no-input", "--testrunner"),
            "ci_cache_isolation.running.inside.django_order.OrderedRunner",
            *(["--parallel", found[7]] if "--parallel" in found else []),
            *each["labels"],
        ], place


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_what_is_no_order_is_exit_code_2(path, replayed, number):
    path.write_bytes(TEXTS[number])
    assert "holds no recorded order" in replayed()


def test_one_that_was_cut_off_is_exit_code_2(path, replayed):
    for text in cut(path.read_text().rstrip(), 30):
        path.write_text(text)
        assert "holds no recorded order" in replayed()


def test_a_folder_in_a_files_place_is_exit_code_2(path, replayed):
    path.unlink()
    path.mkdir()
    assert "(Is a directory)" in replayed()


@pytest.mark.parametrize(
    "labels",
    [
        ["--settings=evil"],
        ["shop", "-p", "evil"],
        ["@evil.txt"],
        ["--", "shop"],
        ["-x"],
    ],
)
@pytest.mark.parametrize("runner", [each.name for each in RUNNERS])
def test_options_are_never_taken_from_a_file(path, replayed, labels, runner):
    values = json.loads(path.read_text()) | {"labels": labels, "runner": runner}
    path.write_text(json.dumps(values))
    found = replayed()
    assert f"replay {path} -- {labels[0]}" in found
    # Whoever gives them has seen them.
    assert replayed("--", *labels)[-len(labels) :] == labels
    assert replayed("shop")[-1] == "shop"


@pytest.mark.parametrize(
    "seed", ["", "x", "-1", "4294967296", "1" * 5000, "\u0661", "r"]
)
def test_a_seed_that_python_refuses_is_refused_here(path, seed):
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hash_seed": seed}))
    with pytest.raises(OrderFileError, match="hash_seed is no seed"):
        recorded_order(path)
