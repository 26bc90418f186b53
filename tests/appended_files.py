"""Files that are appended to, in each way in which they are."""

import pytest

from ci_cache_isolation.isolation import appended_file


@pytest.fixture(params=["mapped", "written"])
def path(request, tmp_path, monkeypatch):
    if request.param == "written":
        monkeypatch.setattr(appended_file, "_CAN_RESERVE", False)
    return tmp_path / "file"


def content(path):
    return path.read_bytes().rstrip(b"\0")
