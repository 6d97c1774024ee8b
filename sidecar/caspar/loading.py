"""The commands of one layer, written: what of an item is loaded, and how. Pure."""

from fractions import Fraction
from typing import Final

from sidecar.caspar.amcp import UnwritableTextError, quoted
from sidecar.caspar.deck import Loaded
from sidecar.caspar.names import PLAIN_CUT, ClipNames, clip_parameters
from sidecar.rundown.model import Airing
from sidecar.rundown.rate import converted_frames, parse_rate

CARD_COLOUR: Final = "#FF10141B"
"""The slate's own background, opaque: what is shown where the server cannot read the slate's picture."""
NOTHING: Final = f'"EMPTY" {PLAIN_CUT}'


class LayerCommands:
    """``per_frame``: the server's ticks a frame of the channel, two where its format is interlaced."""

    def __init__(self, channel: int, layer: int, rate: Fraction) -> None:
        self.channel = channel
        self.place = f"{channel}-{layer}"
        self.per_frame = 1
        self.names = ClipNames()
        self._rate = rate

    def loaded(self, airing: Airing, position: int, played: int) -> Loaded:
        """``airing`` from its item's frame ``position`` on; ``played``: frames of that the rundown has counted.

        Raises UnwritableTextError for a path that no server can be told.
        """
        item = airing.item
        path = item.path or ""
        first = self._first(airing)
        known = None
        if item.asset_duration_ms is not None:
            known = item.asset_duration_ms * self._rate.numerator // (1000 * self._rate.denominator)
            known = known if known > first else None
        length = None if item.end_mode == "take" else item.duration_frames
        if length is not None and known is not None:
            length = min(length, known - first)  # with more than there is, AUTO would never come
        made = Loaded(airing, path, first + position, first, length, played, known)
        self._clip(made)
        return made

    def _first(self, airing: Airing) -> int:
        item = airing.item
        if not item.in_frames:
            return 0
        source = self._rate if item.source_rate is None else parse_rate(item.source_rate)
        return converted_frames(item.in_frames, source, self._rate)

    def _clip(self, loaded: Loaded) -> str:
        name, scale = self.names.told(loaded.path), self.per_frame
        length = None if loaded.length is None else loaded.length * scale
        return clip_parameters(name, seek=loaded.start * scale, in_=loaded.first * scale, length=length)

    def play(self, loaded: Loaded) -> str:
        return f"PLAY {self.place} {self._clip(loaded)}"

    def play_cued(self) -> str:
        return f"PLAY {self.place}"

    def load(self, loaded: Loaded) -> str:
        """Its first frame, standing."""
        return f"LOAD {self.place} {self._clip(loaded)}"

    def cue(self, loaded: Loaded, *, follows: bool) -> str:
        return f"LOADBG {self.place} {self._clip(loaded)}{' AUTO' if follows else ''}"

    def cue_nothing(self) -> str:
        return f"LOADBG {self.place} {NOTHING}"

    def card(self, path: str) -> str:
        """A picture, or without a path a colour."""
        return f"PLAY {self.place} {quoted(path) if path else quoted(CARD_COLOUR)} {PLAIN_CUT}"

    def length(self, frames: int) -> str:
        return f"CALL {self.place} LENGTH {frames * self.per_frame}"

    def pause(self) -> str:
        return f"PAUSE {self.place}"

    def resume(self) -> str:
        return f"RESUME {self.place}"

    def clear(self) -> str:
        return f"CLEAR {self.place}"


def ticks_a_frame(server: Fraction, channel: Fraction) -> int | None:
    """None: the server's channel runs at another rate than ours."""
    ratio = server / channel
    return int(ratio) if ratio in (1, 2) else None


__all__ = ["CARD_COLOUR", "NOTHING", "LayerCommands", "UnwritableTextError", "ticks_a_frame"]
