"""The folders of reports: what git is to see of them."""

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
