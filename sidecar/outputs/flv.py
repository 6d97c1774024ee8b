"""The bodies of FLV tags, which are RTMP's audio and video messages (Adobe, *Video File Format 10.1*, annex E).

H.264 comes as the encoder gives it, in Annex B with its parameter sets before every keyframe; FLV wants lengths instead
of start codes, and the parameter sets once, in advance.
"""

import re
import struct
from typing import Final

from sidecar.outputs.amf import Amf, encoded
from sidecar.outputs.packet import EncodedPacket

_START_CODE: Final = re.compile(rb"\x00\x00\x01")
_SPS, _PPS, _DELIMITER = 7, 8, 9
_HIGH_PROFILES: Final = frozenset({100, 110, 122, 144})
_AVC_KEY, _AVC_INTER = 0x17, 0x27
_AAC: Final = 0xAF  # AAC, and the values that it always has here: 44 kHz, 16 bit, stereo; the truth is in its header


def units(annex_b: bytes) -> list[bytes]:
    """The NAL units between start codes."""
    starts = [match.start() for match in _START_CODE.finditer(annex_b)]
    ends = [*starts[1:], len(annex_b)]
    # A start code may have one more zero before it, and a unit never ends with one.
    between = (annex_b[start + 3 : end].rstrip(b"\x00") for start, end in zip(starts, ends, strict=True))
    return [unit for unit in between if unit]


def video_header(keyframe: bytes) -> bytes:
    """The tag that comes first. Raises ValueError for a packet without parameter sets."""
    found = units(keyframe)
    sps = next((unit for unit in found if unit[0] & 31 == _SPS), None)
    pps = next((unit for unit in found if unit[0] & 31 == _PPS), None)
    if sps is None or pps is None:
        raise ValueError("a keyframe without its parameter sets")
    record = b"\x01" + sps[1:4] + b"\xff\xe1" + struct.pack(">H", len(sps)) + sps
    record += b"\x01" + struct.pack(">H", len(pps)) + pps
    if sps[1] in _HIGH_PROFILES:
        record += b"\xfd\xf8\xf8\x00"  # 4:2:0, 8 bits, no extension
    return bytes([_AVC_KEY, 0, 0, 0, 0]) + record


def video_body(packet: EncodedPacket) -> bytes:
    """There are no B-frames, so composition time is 0."""
    kept = [unit for unit in units(packet.data) if unit[0] & 31 not in (_SPS, _PPS, _DELIMITER)]
    head = bytes([_AVC_KEY if packet.keyframe else _AVC_INTER, 1, 0, 0, 0])
    return head + b"".join(struct.pack(">I", len(unit)) + unit for unit in kept)


def audio_header(configuration: bytes) -> bytes:
    """``configuration`` is AAC's AudioSpecificConfig."""
    return bytes([_AAC, 0]) + configuration


def audio_body(packet: EncodedPacket) -> bytes:
    return bytes([_AAC, 1]) + packet.data


def metadata(width: int, height: int, rate: float) -> bytes:
    """``onMetaData`` as a publisher sends it."""
    values: dict[str, Amf] = {
        "width": float(width),
        "height": float(height),
        "framerate": rate,
        "videocodecid": 7.0,
        "audiocodecid": 10.0,
        "audiosamplerate": 48000.0,
        "audiosamplesize": 16.0,
        "stereo": True,
        "encoder": "MCR Console",
    }
    return encoded("@setDataFrame", "onMetaData", values)
