"""Files that only this user can read, whatever the umask, and links in their place."""

import os
import stat

import pytest

from ci_cache_isolation.running.private_files import appended, made, opened, written


@pytest.fixture(params=[0, 0o022, 0o777])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def precious(tmp_path):
    path = tmp_path / "precious"
    path.write_text("precious")
    path.chmod(0o644)
    yield path
    assert path.read_text() == "precious"
    assert mode(path) == 0o644


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def append(path):
    with appended(path) as file:
        file.write("ünï\n")


def write(path):
    with opened(path) as file:
        file.write("ünï\n".encode())


WAYS = [append, write, lambda path: written(path, "ünï\n")]


@pytest.mark.parametrize("way", WAYS)
def test_a_new_file_is_for_this_user_only(tmp_path, umask, way):
    path = tmp_path / "file"
    way(path)
    assert mode(path) == 0o600
    assert path.read_text("utf-8") == "ünï\n"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_was_open_to_others_is_closed(tmp_path, way):
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o666)
    way(path)
    assert mode(path) == 0o600


@pytest.mark.parametrize("way", [append, write])
def test_a_link_in_a_files_place_is_refused(tmp_path, precious, way):
    (tmp_path / "file").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"):
        way(tmp_path / "file")


@pytest.mark.parametrize("name", ["file", "file.partial"])
def test_a_link_in_the_place_of_a_whole_file_is_replaced(tmp_path, precious, name):
    (tmp_path / name).symlink_to(precious)
    written(tmp_path / "file", "mine")
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").read_text() == "mine"


def test_what_utf_8_cannot_say_is_escaped(tmp_path):
    written(tmp_path / "file", "a\udcff")
    assert (tmp_path / "file").read_text() == "a\\udcff"


def test_a_folder_is_for_this_user_only(tmp_path, umask):
    made(tmp_path / "folder")
    assert mode(tmp_path / "folder") == 0o700


def test_a_link_or_a_file_in_a_folders_place_is_refused(tmp_path, precious):
    (tmp_path / "folder").symlink_to(tmp_path)
    for path in (tmp_path / "folder", precious):
        with pytest.raises(FileExistsError):
            made(path)
