"""The last step of reading a list: an event and its clip as an item of a playlist. Pure."""

from fractions import Fraction

from db.models import Asset
from db.repositories.playlists import ItemSpec
from sidecar.rundown.rate import parse_rate
from supervisor.errors import Invalid
from supervisor.playlists.schedule import ScheduledEvent, frames_at


def clip_item(event: ScheduledEvent, asset: Asset) -> ItemSpec:
    """What the list says in seconds or labels becomes the nearest frames of the clip.

    Raises Invalid where nothing is left of it.
    """
    title = event.title or asset.title
    if event.begin is None and event.end is None and event.length is None:
        return ItemSpec(title=title, asset_id=asset.id)
    begin, end = trim(event, asset)
    return ItemSpec(title=title, asset_id=asset.id, in_frames=begin, out_frames=end)


def trim(event: ScheduledEvent, asset: Asset) -> tuple[int, int | None]:
    """First frame, and one past the last; None: to the clip's end. Raises Invalid where nothing is left."""
    if asset.rate is None:
        if event.begin is None and event.end is None:
            return 0, None  # a length alone: sound airs to its end
        raise Invalid(f"{asset.title!r} has no picture, so no frames to trim it by")
    rate = parse_rate(asset.rate)
    begin = 0 if event.begin is None else frames_at(event.begin, rate)
    end = _end(event, begin, rate)
    length = asset.duration_frames
    if length is not None and end is not None and end >= length:
        end = None
    if (end is not None and end <= begin) or (length is not None and begin >= length):
        raise Invalid(f"nothing of {asset.title!r} is left between in and out")
    return begin, end


def _end(event: ScheduledEvent, begin: int, rate: Fraction) -> int | None:
    if event.end is not None:
        return frames_at(event.end, rate)
    return None if event.length is None else begin + frames_at(event.length, rate)
