"""What the encoders are told, derived from a channel's format. Pure."""

from fractions import Fraction

from sidecar.protocol.channel import ChannelFormat, Encoding
from sidecar.rundown.rate import parse_rate

PIXEL_RATE_OF_A_THREAD = 1280 * 720 * 30
"""Pixels a second that one x264 thread at superfast takes with ease (720p25: 0.2 to 0.3 of a core). More threads than
needed cost 5 to 10 % in all."""
MOST_THREADS = 8
PREVIEW_WIDTH = 320
PREVIEW_RATE = 6  # frames a second, about


def gop_frames(rate: Fraction, gop_ms: int) -> int:
    """Frames from keyframe to keyframe: what is nearest to ``gop_ms``, at least 1."""
    return max(1, round(rate * gop_ms / 1000))


def encoder_threads(channel: ChannelFormat) -> int:
    pixel_rate = channel.width * channel.height * parse_rate(channel.rate)
    return int(min(MOST_THREADS, max(1, -(-pixel_rate // PIXEL_RATE_OF_A_THREAD))))


def x264_options(encoding: Encoding, gop: int) -> dict[str, str]:
    """Closed groups of exactly ``gop`` frames, no B-frames, bit rate held within one second."""
    return {
        "preset": encoding.preset,
        "tune": encoding.tune,
        "bf": "0",
        "g": str(gop),
        "keyint_min": str(gop),
        "sc_threshold": "0",
        "forced-idr": "1",
        "maxrate": str(encoding.video_bit_rate),
        "bufsize": str(encoding.video_bit_rate),
    }


def preview_step(rate: Fraction, gop: int) -> int:
    """Every how many programme frames the preview has one: a divisor of ``gop``, so that its keyframes fall on the
    programme's, for about six frames a second."""
    divisors = [step for step in range(1, gop + 1) if gop % step == 0]
    return min(divisors, key=lambda step: abs(rate / step - PREVIEW_RATE))


def preview_format(channel: ChannelFormat) -> ChannelFormat:
    """The preview's picture: at most 320 wide, in the channel's aspect, even. ``rate`` stays the channel's, in whose
    frames its timestamps count."""
    width = min(PREVIEW_WIDTH, channel.width) // 2 * 2
    height = max(64, round(Fraction(width * channel.height, channel.width) / 2) * 2)
    return ChannelFormat(width, height, channel.rate)
