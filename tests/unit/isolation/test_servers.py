"""Where the socket of a private server is."""

import shutil
import tempfile
from pathlib import Path

import pytest

from ci_cache_isolation.isolation import servers

# "cache-" and eight characters.
OWN = len("/cache-") + 8


@pytest.fixture
def short():
    """A folder with a short name: that of a test's own may be too long already."""
    made = tempfile.mkdtemp(dir="/tmp")
    yield Path(made)
    shutil.rmtree(made)


@pytest.mark.parametrize(("too_many", "stays"), [(0, True), (1, False)])
def test_a_folder_whose_sockets_names_would_be_too_long_is_not_taken(
    short, monkeypatch, too_many, stays
):
    length = servers._LONGEST_SOCKET - OWN - len("/memcached") + too_many
    folder = short / ("x" * (length - len(f"{short}/")))
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    made = Path(servers._new_directory())
    assert (made.parent == folder) is stays
    assert list(folder.iterdir()) == ([made] if stays else [])
    made.rmdir()
