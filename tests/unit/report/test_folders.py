"""The folders of reports: what git is to see of them."""

import os
import stat
from pathlib import Path

import pytest

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.report.folders import emptied, made, prepared


@pytest.mark.parametrize("make", [prepared, emptied, made])
def test_git_ignores_a_folder_that_was_made_for_a_report(tmp_path, make):
    report = tmp_path / "above" / "report"
    make(report)
    make(report)
    assert (report / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert [each.name for each in report.parent.iterdir()] == ["report"]


@pytest.mark.parametrize("make", [prepared, emptied, made])
def test_a_folder_that_was_there_is_left_as_it_was(tmp_path, make):
    (tmp_path / "mine").touch()
    make(tmp_path)
    assert not (tmp_path / ".gitignore").exists()


@pytest.mark.parametrize("make", [prepared, emptied])
def test_a_folder_that_cannot_be_made_is_refused(tmp_path, make):
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="Name another folder with --report"):
        make(tmp_path / "file" / "report")


def modes(folder):
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.lstat().st_mode))
        for path in folder.rglob("*")
    }


@pytest.fixture(params=[0, 0o022, 0o777])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.parametrize("make", [prepared, emptied])
def test_nobody_else_can_look_into_a_folder_whatever_the_umask(tmp_path, umask, make):
    make(tmp_path / "above" / "report")
    found = modes(tmp_path)
    assert found.pop("above/report/.gitignore") == "0o600"
    assert set(found.values()) == {"0o700"}


def test_orders_of_an_earlier_version_are_closed_and_a_folder_of_the_users_is_left(
    tmp_path,
):
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders").chmod(0o755)
    tmp_path.chmod(0o755)
    prepared(tmp_path)
    assert modes(tmp_path) == {"orders": "0o700"}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.fixture
def precious(tmp_path):
    """A folder with files that have such names as ours."""
    folder = tmp_path / "precious"
    (folder / "notes").mkdir(parents=True)
    names = ["runs.jsonl", "build.log", "001-forward.json", "notes/1.jsonl"]
    for name in names:
        (folder / name).write_text("precious")
    yield folder
    assert all((folder / name).read_text() == "precious" for name in names)


@pytest.mark.parametrize("make", [prepared, emptied])
@pytest.mark.parametrize(
    "place", ["", "a", "a/report", "a/report/orders", "a/report/notes"]
)
def test_a_link_that_leads_elsewhere_is_not_followed(
    tmp_path, precious, monkeypatch, make, place
):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    link = Path(place or "a/report/orders/notes")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(precious)
    with pytest.raises(OptionError, match=f"{link} is a symbolic link"):
        make(Path("a/report"))
    assert link.is_symlink()


def test_a_link_in_the_place_of_a_file_is_removed(tmp_path, precious):
    (tmp_path / "report" / "orders").mkdir(parents=True)
    for name in ("runs.jsonl", "001-forward.json"):
        (tmp_path / "report" / "orders" / name).symlink_to(precious / name)
    prepared(tmp_path / "report")
    assert list((tmp_path / "report" / "orders").iterdir()) == []
