"""One frame through everything that a channel is made of, so that the next time finds it loaded."""

from datetime import UTC, datetime

import numpy as np

from sidecar.engine.encoder import programme_encoders
from sidecar.media.slate import Slate
from sidecar.outputs.templates import make_templates
from sidecar.outputs.transport_stream import TransportStreamMuxer
from sidecar.protocol.channel import ChannelFormat, Encoding


def rehearse() -> None:
    """Takes some 0.1 s and keeps nothing."""
    channel, encoding = ChannelFormat(320, 180, "25"), Encoding()
    pictures, sounds = programme_encoders(channel, encoding)
    picture = Slate("", channel, "UTC").picture(datetime.now(UTC))
    packets = pictures.encode(0, picture, 0) + sounds.encode(np.zeros((2, 1920), np.float32))
    muxer = TransportStreamMuxer(make_templates(channel, encoding))
    muxer.mux(tuple(packets))
    muxer.finish()
