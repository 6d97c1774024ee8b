"""The last step of reading a list: an event and its clip as an item of a playlist. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import cast

from db.models import Asset
from db.repositories.playlists import ItemSpec
from sidecar.protocol.live_url import shown_live_url
from sidecar.rundown.rate import parse_rate
from supervisor.assets.names import title_of
from supervisor.errors import Invalid
from supervisor.playlists.live_urls import check_live_url
from supervisor.playlists.schedule import Extent, Frames, ScheduledEvent, Seconds, Timecode, frames_at
from supervisor.playlists.source_timecode import Place, place_in


@dataclass(frozen=True, slots=True)
class ListedItem:
    """An event as an item; ``remark`` is what of the event the item has not, for people. ``after``: the event id of the
    item that it is to follow, of a list that only says what changes."""

    line: str
    spec: ItemSpec
    remark: str = ""
    after: str | None = None


def item_of(event: ScheduledEvent, asset: Asset | None, planned: datetime | None, channel_rate: str) -> ListedItem:
    """``asset`` None: a clip that is not there yet, which the item then waits for. Raises Invalid for what no item is.

    ``channel_rate`` is what slates count at.
    """
    remarks: list[str] = []
    mode = event.start_mode
    if mode == "fixed" and planned is None:
        mode = "follow"
        remarks.append("its fixed start has no time that is known, and it follows")
    airing: dict[str, object] = {"expendable": True} if event.expendable else {}
    if event.category:
        airing["category"] = event.category
    if event.joins_late and mode == "fixed":
        airing["late_policy"] = "join"
    match event.kind:
        case "clip":
            spec, remark = _clip(event, asset)
            remarks += [remark] if remark else []
        case "slate":
            if event.length is None:
                raise Invalid("a slate needs a duration")
            frames = max(1, frames_at(event.length, parse_rate(channel_rate)))
            spec = ItemSpec(title=event.title or "Slate", kind="slate", slate_frames=frames)
        case "live":
            spec, remark = _live(event, channel_rate)
            remarks += [remark] if remark else []
            if spec.slate_frames is None or event.ends_by_take:
                airing["end_mode"] = "take"
        case "comment":
            spec, mode, airing = ItemSpec(title=event.title or "", kind="comment"), "follow", {}
    made = ItemSpec(
        title=spec.title,
        asset_id=spec.asset_id,
        kind=spec.kind,
        in_frames=spec.in_frames,
        out_frames=spec.out_frames,
        slate_frames=spec.slate_frames,
        start_mode=mode,
        traffic_id=event.traffic_id,
        planned_start=planned,
        house_id=event.house_id,
        listed=spec.listed,
        fixed_at=planned if mode == "fixed" else None,
        url=spec.url,
        airing=airing or None,
    )
    return ListedItem(event.line, made, "; ".join(remarks), event.after)


def trim(event: ScheduledEvent, asset: Asset) -> tuple[int, int | None, str]:
    """First frame, one past the last (None: to the clip's end), and what the list wants more than there is.

    What the list says in seconds or labels becomes the nearest frames; labels are those of the file's own timecode.
    Raises Invalid where nothing is left.
    """
    if asset.rate is None:
        if event.begin is None and event.end is None:
            return 0, None, ""  # a length alone: sound airs to its end
        raise Invalid(f"{asset.title!r} has no picture, so no frames to trim it by")
    begin = Place(0) if event.begin is None else place_in(event.begin, asset)
    end = _end(event, begin.frame, asset)
    remarks = [place.remark for place in (begin, end) if place is not None and place.remark]
    return _within(asset, begin.frame, None if end is None else end.frame, remarks)


def _within(asset: Asset, begin: int, end: int | None, remarks: list[str]) -> tuple[int, int | None, str]:
    length = asset.duration_frames
    if length is not None and end is not None and end >= length:
        if end > length:
            remarks.append(f"{asset.title!r} ends {end - length} frames before the list wants")
        end = None
    if (end is not None and end <= begin) or (length is not None and begin >= length):
        raise Invalid(f"nothing of {asset.title!r} is left between in and out")
    return begin, end, "; ".join(remarks)


def listed_trim(listed: Mapping[str, object] | None, asset: Asset) -> tuple[int, int | None, str]:
    """As ``trim``, of what a list said of a clip that came later."""
    said = {name: _read(value) for name, value in (listed or {}).items()}
    event = ScheduledEvent("", begin=said.get("in"), end=said.get("out"), length=said.get("length"))
    return trim(event, asset)


def waiting_frames(listed: Mapping[str, object] | None, rate: Fraction) -> int | None:
    """How many frames at ``rate`` a clip that is not there yet is to air, by its list; None where that does not say."""
    said = {name: _read(value) for name, value in (listed or {}).items()}
    begin, end, length = said.get("in"), said.get("out"), said.get("length")
    try:
        if length is not None:
            return max(1, frames_at(length, rate))
        if end is not None:
            return max(1, frames_at(end, rate) - (0 if begin is None else frames_at(begin, rate)))
    except Invalid:
        return None
    return None


def _clip(event: ScheduledEvent, asset: Asset | None) -> tuple[ItemSpec, str]:
    said = {"in": event.begin, "out": event.end, "length": event.length}
    listed: dict[str, object] = {name: _written(extent) for name, extent in said.items() if extent is not None}
    if asset is None:
        return ItemSpec(title=event.title or event.house_id or "", listed=listed or None), ""
    begin, end, short = trim(event, asset)
    return ItemSpec(
        title=event.title or asset.title, asset_id=asset.id, in_frames=begin, out_frames=end, listed=listed or None
    ), short


def _live(event: ScheduledEvent, channel_rate: str) -> tuple[ItemSpec, str]:
    source = event.source or ""
    url = source if "://" in source else None
    if url is not None:
        check_live_url(url)
    frames = None if event.length is None else max(1, frames_at(event.length, parse_rate(channel_rate)))
    remarks: list[str] = []
    if url is None:
        named = f"its source {source!r} is no address" if source else "it names no source"
        remarks.append(f"{named}: give the item a url before it airs")
    if frames is None:
        remarks.append("it has no duration, so it ends by a take")
    title = event.title or source or "Live"
    if url is not None:
        title = title_of(title.replace(url, shown_live_url(url)))  # a title goes into the as-run for ever
    spec = ItemSpec(title=title, kind="live", slate_frames=frames, url=url)
    return spec, "; ".join(remarks)


def _end(event: ScheduledEvent, begin: int, asset: Asset) -> Place | None:
    if event.end is not None:
        return place_in(event.end, asset)
    assert asset.rate is not None
    return None if event.length is None else Place(begin + frames_at(event.length, parse_rate(asset.rate)))


def _written(extent: Extent) -> dict[str, object]:
    match extent:
        case Frames(count, rate):
            return {"frames": count, "rate": rate}
        case Seconds(value):
            return {"seconds": str(value)}
        case Timecode(label, rate):
            return {"timecode": label, "rate": rate}


def _read(value: object) -> Extent | None:
    said = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    rate = said.get("rate")
    match said:
        case {"frames": int(count)}:
            return Frames(count, rate if isinstance(rate, str) else None)
        case {"seconds": str(text)}:
            return Seconds(Fraction(text))
        case {"timecode": str(label)}:
            return Timecode(label, rate if isinstance(rate, str) else None)
        case _:
            return None
