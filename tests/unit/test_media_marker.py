"""The marker of a media root: made once, believed where it is there, and never through a link."""

import os
from pathlib import Path

import pytest

from supervisor.errors import Invalid
from supervisor.media_marker import read_or_make_marker, whole_path
from supervisor.schemas.media_root import MARKER_FILE


def test_a_folder_is_marked_once(tmp_path: Path) -> None:
    marker = read_or_make_marker(str(tmp_path))
    assert len(marker) == 32
    assert (tmp_path / MARKER_FILE).read_text() == marker + "\n"
    assert read_or_make_marker(str(tmp_path)) == marker


def test_a_folder_that_was_marked_elsewhere_needs_not_be_written_to(tmp_path: Path) -> None:
    (tmp_path / MARKER_FILE).write_text("0" * 31 + "a")
    tmp_path.chmod(0o500)
    try:
        assert read_or_make_marker(str(tmp_path)) == "0" * 31 + "a"
    finally:
        tmp_path.chmod(0o700)


def test_what_cannot_be_marked_says_why(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="not a folder"):
        read_or_make_marker(str(tmp_path / "nowhere"))
    with pytest.raises(Invalid, match="none can be written"):
        read_or_make_marker("/proc")
    (tmp_path / MARKER_FILE).write_text("something else")
    with pytest.raises(Invalid, match="holds no marker"):
        read_or_make_marker(str(tmp_path))


def test_no_link_is_followed_and_nothing_hangs(tmp_path: Path) -> None:
    """P7: who may write into a media folder cannot make the supervisor read something else aloud."""
    secret = tmp_path / "secret"
    secret.write_text("a" * 32)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / MARKER_FILE).symlink_to(secret)
    with pytest.raises(Invalid, match="cannot be read"):
        read_or_make_marker(str(folder))
    (folder / MARKER_FILE).unlink()
    os.mkfifo(folder / MARKER_FILE)
    with pytest.raises(Invalid, match="holds no marker"):
        read_or_make_marker(str(folder))


@pytest.mark.parametrize("path", ["/", "//", "relative", "/a/../b", "/a//b", "/a/./b"])
def test_a_path_is_plain_and_absolute(path: str) -> None:
    with pytest.raises(Invalid):
        whole_path(path)
    assert whole_path("/srv/clips/") == "/srv/clips"
