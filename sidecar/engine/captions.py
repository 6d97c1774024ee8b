"""A53 captions, which are side data of pictures: whether there are any, and pictures without them."""

from collections.abc import Mapping
from typing import cast

import av
from av.sidedata.sidedata import Type

from sidecar.media.graph import Step, chain, pictures_of
from sidecar.protocol.channel import ChannelFormat


def has_captions(picture: av.VideoFrame) -> bool:
    # PyAV's stub has a mapping of names; it is one of types.
    return cast("Mapping[Type, object]", picture.side_data).get(Type.A53_CC) is not None


class SideDataFilter:
    """One of FFmpeg's filters for pictures of the channel's format, by which side data can be kept and removed: PyAV
    alone can do neither. The picture given is left as it is."""

    def __init__(self, channel: ChannelFormat, step: Step) -> None:
        size = f"{channel.width}x{channel.height}"
        source = {"video_size": size, "pix_fmt": "yuv420p", "time_base": "1/1000", "colorspace": "1", "range": "1"}
        self._graph = chain([("buffer", source), step, ("buffersink", {})])

    def of(self, picture: av.VideoFrame) -> av.VideoFrame:
        self._graph.vpush(picture)
        return next(pictures_of(self._graph))


def captions_remover(channel: ChannelFormat) -> SideDataFilter:
    """Its pictures share the memory of those they are made from."""
    return SideDataFilter(channel, ("sidedata", {"mode": "delete", "type": "A53_CC"}))


def copier(channel: ChannelFormat) -> SideDataFilter:
    """Its pictures have memory of their own, which is used again once nobody holds them, and the same side data."""
    return SideDataFilter(channel, ("copy", {}))
