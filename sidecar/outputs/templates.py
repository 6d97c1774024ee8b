"""Stream descriptions for muxers that do not encode.

PyAV 15 makes an output stream from a codec (and then opens an encoder with it, some 50 MB for x264) or from another
stream. An input stream as template costs nothing, so one second-hand NUT file in memory, which keeps Annex B and the
AAC configuration as the encoder made them, supplies the templates for every muxer.
"""

import io
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from sidecar.protocol.channel import ChannelFormat, Encoding
from sidecar.rundown.rate import parse_rate


@dataclass(frozen=True, slots=True)
class StreamTemplates:
    """Picture and sound streams to copy from. ``container`` keeps them alive."""

    container: InputContainer
    video: VideoStream
    audio: AudioStream


def make_templates(channel: ChannelFormat, encoding: Encoding) -> StreamTemplates:
    """Encodes one frame at ``channel``'s size; takes some 20 ms."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="nut") as container:
        # PyAV leaves add_stream's keywords untyped.
        video = container.add_stream("libx264", rate=parse_rate(channel.rate))  # pyright: ignore[reportUnknownMemberType]
        audio = container.add_stream("aac", rate=channel.sample_rate)  # pyright: ignore[reportUnknownMemberType]
        video.width, video.height, video.pix_fmt = channel.width, channel.height, "yuv420p"
        video.codec_context.thread_count = 1
        video.codec_context.options = {"preset": "ultrafast", "tune": "zerolatency"}
        audio.codec_context.layout = "stereo"
        audio.codec_context.bit_rate = encoding.audio_bit_rate
        container.mux(video.encode(av.VideoFrame(channel.width, channel.height, "yuv420p")))
        container.mux(video.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        silence.sample_rate, silence.pts, silence.time_base = channel.sample_rate, 0, Fraction(1, channel.sample_rate)
        container.mux(audio.encode(silence))
        container.mux(audio.encode(None))
    source = av.open(io.BytesIO(memory.getvalue()), "r", format="nut")
    return StreamTemplates(source, source.streams.video[0], source.streams.audio[0])
