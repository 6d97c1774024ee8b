"""The as-run journal's records and the form of a line on disk.

A line is ``crc32(json) as 8 hex digits, one space, json, newline``. ``prev`` chains every record to the line
before it, over all runs of a channel on this node, so that a later change shows. A torn last line (power cut,
full disk) fails its checksum and ends the readable part.
"""

import hashlib
import zlib
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from sidecar.protocol.channel import Epoch

RecordKind = Literal[
    "run_start",  # the process is up, muted
    "on_air",  # armed: frame 0 follows
    "item_start",
    "item_end",
    "filler_start",
    "filler_end",
    "freeze_start",
    "freeze_end",
    "item_skipped",  # could not air; detail says why
    "command",  # what an operator asked, with who
    "late",  # frames that were not what was due at their time; cause as in Status.frames_late
    "run_end",
]


class AsRunRecord(Struct, frozen=True, omit_defaults=True):
    """One fact from the engine's own frames.

    ``frame`` is the output frame since arming at which the fact holds: the first frame of a start, one past the
    last of an end. ``frames`` is how many channel frames aired, on an end. ``wall_ns`` is UTC in nanoseconds of
    that frame's due time.
    """

    channel_id: str
    run_id: str
    epoch: Epoch
    seq: Annotated[int, Meta(ge=1)]
    kind: RecordKind
    frame: int
    wall_ns: int
    rate: str
    prev: str
    cause: str = ""  # follow, take, skip, arm, resume, rejoin, ended, no data, stop…
    by: str = ""
    detail: str = ""
    airing: int | None = None
    item_id: str | None = None
    asset_id: str | None = None
    house_id: str | None = None
    title: str | None = None
    path: str | None = None
    in_frames: int | None = None  # channel frames into the item at which this airing began
    planned_frames: int | None = None  # on an item's start: channel frames it was to air, None to its source's end
    frames: int | None = None
    late: int | None = None
    traffic_id: str | None = None


GENESIS = "0" * 64
"""``prev`` of the first record of all."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AsRunRecord)


class TornLine(ValueError):
    """A line is cut short or does not match its checksum."""


def encode_line(record: AsRunRecord) -> bytes:
    body = _encoder.encode(record)
    return b"%08x %b\n" % (zlib.crc32(body), body)


def decode_line(line: bytes) -> AsRunRecord:
    """Raises ``TornLine``."""
    if len(line) < 11 or not line.endswith(b"\n") or line[8:9] != b" ":
        raise TornLine(f"not a whole line: {line[:40]!r}")
    body = line[9:-1]
    if line[:8] != b"%08x" % zlib.crc32(body):
        raise TornLine(f"checksum differs: {line[:40]!r}")
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise TornLine(f"not a record: {error}") from error


def chain_hash(line: bytes) -> str:
    """What the next record carries as ``prev``."""
    return hashlib.sha256(line).hexdigest()


def whole_lines(data: bytes) -> Iterator[tuple[bytes, AsRunRecord]]:
    """The records of ``data`` up to the first torn line."""
    for line in data.splitlines(keepends=True):
        try:
            yield line, decode_line(line)
        except TornLine:
            return


class AsRunPage(Struct, frozen=True):
    """What ``GET /asrun?run=&after=&limit=`` answers: flushed records only, in order of ``seq``."""

    run_id: str
    records: tuple[AsRunRecord, ...]
    last_seq: int
    """The run's highest flushed number, so that a reader knows whether it has all."""
