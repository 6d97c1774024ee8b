"""Files as parameters of PLAY and LOADBG: a name is never a keyword, a colour, a transition or another file.

The server looks for keywords among all parameters, the name included, and for transitions with a pattern over all of
them joined, upper-cased: a clip called ``Mix 25 remix`` is a mix of 25 frames, one called ``auto`` plays itself (seen
on 2.5.0). The pattern takes its last match, so a last ``CUT 0`` is what counts; a name with its extension is no keyword
and no colour; an absolute one is not searched for, neither beside the server nor case-blind among its media. A server
before 2.4, and one on another system, is told names below its media folder instead.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from sidecar.caspar.amcp import UnwritableTextError, quoted

PLAIN_CUT: Final = "CUT 0"


@dataclass(frozen=True, slots=True)
class ClipNames:
    """How the server is told of a file of this node.

    ``media``: the folder here that is the server's media folder; files are then named from there, which any version
    finds, on any system. Empty: by their whole paths, the same on both machines, which servers find from 2.4 on;
    ``is_old``: one before that finds them below ``its_media`` alone, its own media folder as INFO PATHS tells it.
    """

    media: str = ""
    is_old: bool = False
    its_media: str = ""

    def told(self, path: str) -> str:
        """Raises UnwritableTextError for what the server could take for something else, or cannot find."""
        pure = PurePosixPath(path)
        if not pure.is_absolute() or not pure.suffix or ".." in pure.parts:
            raise UnwritableTextError(f"a clip is named by its whole path and with its extension: {path[:200]!r}")
        if not self.media and not self.is_old:
            return path
        folder = self.media or self.its_media
        if not folder.startswith("/") or not pure.is_relative_to(folder):
            raise UnwritableTextError(
                f"the CasparCG server plays only what is below its media folder, {folder or 'which it does not tell'}: "
                f"{path[:200]!r}"
            )
        name = str(pure.relative_to(folder))
        if ":" in name.partition("/")[0]:
            raise UnwritableTextError(f"the CasparCG server would take that for an address: {name[:200]!r}")
        return name


def clip_parameters(name: str, *, seek: int = 0, in_: int = 0, length: int | None = None, loop: bool = False) -> str:
    """What follows ``PLAY 1-10 ``; ``name`` as ``ClipNames`` told it; frames are the channel's, and fields where that
    is interlaced.

    ``seek`` is where it begins, ``in_`` its in point, both from the file's start; ``length`` from ``in_``. ``AUTO`` is
    the caller's, after it. Raises UnwritableTextError for a name that the server could take for something else.
    """
    pure = PurePosixPath(name)
    if not pure.suffix or ".." in pure.parts:
        raise UnwritableTextError(f"a clip is named with its extension: {name[:200]!r}")
    if min(seek, in_) < 0 or (length is not None and length < 1):
        raise ValueError(f"frames before the file's start, or none: seek {seek}, in {in_}, length {length}")
    parts = [quoted(name)]
    if loop:
        parts.append("LOOP")
    if in_ or seek:
        # Each is the other's default, so both are said.
        parts.append(f"IN {in_} SEEK {max(in_, seek)}")
    if length is not None:
        parts.append(f"LENGTH {length}")
    parts.append(PLAIN_CUT)
    return " ".join(parts)
