"""What plays on the layer already when a sidecar enters the air, from a run before: it is left to play. Pure."""

from fractions import Fraction
from typing import Final

from sidecar.caspar.amcp import UnwritableTextError
from sidecar.caspar.info import Side
from sidecar.caspar.loading import LayerCommands
from sidecar.rundown.model import Airing
from sidecar.rundown.rate import frames_in

_ADOPT_S: Final = 2
"""It is left where it is so near to what is due."""


def clip_found(first: Airing, side: Side, layer: LayerCommands, rate: Fraction) -> tuple[int, int] | None:
    """``first`` is the clip that is due: the frame of its file that the server shows, and its first one."""
    if first.item.kind != "clip" or not first.item.path:
        return None
    try:
        wanted = layer.loaded(first, first.first_frame, 0)
    except UnwritableTextError:
        return None
    position = (side.position or 0) // layer.per_frame
    near = abs(position - wanted.start) <= frames_in(_ADOPT_S, rate)
    if side.path != wanted.path or side.producer != "ffmpeg" or side.paused or not near or side.has_ended:
        return None
    return position, wanted.first


def live_found(told: str, side: Side) -> bool:
    """``told``: the live input that is due, as INFO tells it."""
    return bool(told) and side.path == told and side.producer == "ffmpeg" and not side.paused
