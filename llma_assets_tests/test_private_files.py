"""What is written is for its owner alone, whatever the umask and whatever was there before."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from llma_assets.private_files import private_folder, private_opener, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True, params=[0o022, 0o000], ids=["usual umask", "no umask"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_a_folder_and_what_it_lacks_above_it_are_for_their_owner(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "a" / "b" / "c")
    assert [mode(each) for each in (folder, folder.parent, folder.parent.parent)] == [0o700] * 3


def test_an_older_folder_is_closed_to_others_and_those_above_it_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shared" / "ours").mkdir(parents=True)
    (tmp_path / "shared").chmod(0o755)
    (tmp_path / "shared" / "ours").chmod(0o755)
    private_folder(tmp_path / "shared" / "ours")
    assert (mode(tmp_path / "shared"), mode(tmp_path / "shared" / "ours")) == (0o755, 0o700)


def test_a_folder_made_to_be_shared_stays_shared(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    private_folder(tmp_path / "tmp")
    assert mode(tmp_path / "tmp") == 0o1777


def test_files_are_for_their_owner_also_where_older_ones_were_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    path.chmod(0o644)
    with open(path, "a", opener=private_opener) as file:
        file.write(" and after")
    assert (mode(path), path.read_text()) == (0o600, "before and after")


def test_a_text_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    path.chmod(0o644)
    with path.open() as reader:
        write_private(path, "ä")
        assert reader.read() == "before"
    assert (mode(path), path.read_text(), list(tmp_path.iterdir())) == (0o600, "ä", [path])
