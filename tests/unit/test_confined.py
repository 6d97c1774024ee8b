"""Where files lie that may be read: asked of the path, and again of what was opened."""

from pathlib import Path

import pytest

from supervisor.assets.fingerprint import fingerprint
from supervisor.confined import Confined
from supervisor.errors import Invalid
from supervisor.playlists.preparing import read_bytes


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("media", "media-2", "home/media", "home/run"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.mp4").write_bytes(b"a")
    (tmp_path / "media" / "out.mp4").symlink_to(tmp_path / "media-2" / "a.mp4")
    (tmp_path / "media" / "in.mp4").symlink_to("a.mp4")
    (tmp_path / "media" / "loop").symlink_to("loop")
    (tmp_path / "alias").symlink_to("media")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "is_outside"),
    [("media/a.mp4", False), ("media/in.mp4", False), ("media/none", False), ("alias/a.mp4", False), ("media", False),
     ("media/out.mp4", True), ("media-2/a.mp4", True), ("media/../media-2/a.mp4", True), ("media/loop", True),
     ("", True), ("media/x\0y", True), ("media/\ud800", True)],
)  # fmt: skip
def test_a_path_lies_where_its_links_lead(root: Path, path: str, is_outside: bool) -> None:
    named = root / path
    assert (Confined((root / "media",)).outside([named]) == {named}) == is_outside


def test_of_the_programs_own_home_its_media_alone_are_read(root: Path) -> None:
    confined = Confined((root,), private=root / "home")
    inside, private = root / "home" / "media" / "a.mp4", root / "home" / "run" / "a.mp4"
    assert confined.outside([inside, private, root / "media" / "a.mp4"]) == {private}


def test_what_was_opened_is_asked_once_more(root: Path) -> None:
    """A link that was made after the path was looked at."""
    confined = Confined((root / "media",))
    for name in ("a.mp4", "in.mp4"):
        assert read_bytes(root / "media" / name, confined) == b"a"
        assert fingerprint(root / "media" / name, confined) == fingerprint(root / "media" / name)
    for read in (read_bytes, fingerprint):
        with pytest.raises(Invalid, match="leads out"):
            read(root / "media" / "out.mp4", confined)
