"""The as-run journal's records and the form of a line on disk.

A line is ``crc32(json) as 8 hex digits, one space, json, newline``. ``prev`` chains every record to the line
before it, over all runs of a channel on this node, so that a later change shows. A torn last line (power cut,
full disk) fails its checksum and ends the readable part.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
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
    "live_lost",  # a live input on air is lost, inside its item: what is shown until live_back is not programme
    "live_back",  # it is back, or its item ends (cause); frames: how many were shown without it
    "late",  # frames that were not what was due at their time; cause as in Status.frames_late
    "decision",  # who won where two rules met, or what a time-out did: neither a start nor an end; see Cause
    "run_end",
]


Cause = Literal[
    # Why something began (``item_start``), and, where that ended something, why that ended.
    "arm",  # the channel came on air; with the name of who armed it
    "resume",  # it goes on in another run: failover, restart in place
    "follow",  # the item before it ended
    "loop",  # the list, or a block, goes round
    "repeat",  # the same item once more
    "fixed",  # its fixed time came; lateness in ``detail`` and, in frames, in ``late`` of its start
    "take",
    "skip",
    "play",
    "cue",
    "rejoin",
    "hold loop",  # the item before a hold airs again until the take
    "hold time-out",  # nobody took in time
    "ladder",  # the off-air ladder's rung "next"
    # Why something ended (``item_end``, ``filler_end``, ``freeze_end``).
    "ended",  # it aired whole
    "end time",  # its end time came
    "adjust",  # an operator shortened it to now
    "ended early",
    "no data",
    "failed",
    "standby",
    "stop",
    # Why filler began (``filler_start``); the causes of ends as well.
    "gap",  # nothing is due before the next fixed start
    # Why an item did not air (``item_skipped``); ``failed`` and ``no data`` as well.
    "dropped",  # by an operator, or in the list; with who
    "expendable",  # dropped so that a fixed start need not cut another item
    "preempted",  # a fixed start came before its turn
    "too late",  # a fixed start beyond its late limit, whose policy is to drop it; or its end time had passed
    "jumped",  # an operator's cue or take went past it; with who
    # ``standby``: its whole time passed while the channel was in standby.
    # Of a ``decision``.
    "hold",  # a hold won over a fixed start
    # ``fixed``: a fixed start won over a hold or cut an item; ``hold time-out``; ``ladder``: the next rung.
    # Of ``freeze_start``: ``hold``; ``pause``.
    "pause",
    # Of ``live_lost``, and of the ``live_back`` of an input that came back; else that has the cause of its item's end.
    "live lost",
    "live back",
]
"""The words of ``AsRunRecord.cause`` that the rundown clock writes; a ``command`` names the command instead.
Readers take others as they come."""


Proof = Literal["", "confirmed", "inferred"]
"""How an engine that only drives another knows of a frame: it was told of it, or went on by the time that passed. Empty
where the frames are the engine's own."""


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
    cause: str = ""  # one of Cause, or a command's name
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
    planned_at_ns: int | None = None  # UTC, on an item's start: when its list meant it to
    predicted_at_ns: int | None = None  # UTC, on an item's start: when it was to begin as the item before it began
    fingerprint: str | None = None  # of the file's content, as it was probed
    source_in: int | None = None  # source frames, at source_rate, passed over by the item's own trim
    source_rate: str | None = None
    inserted: bool = False  # a person put it into a list that traffic made
    proof: Proof = ""
    predicts: bool = False  # of a run's first record: its items' starts say what was predicted, or that nobody knew


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


def whole_lines(data: bytes | Iterable[bytes]) -> Iterator[tuple[bytes, AsRunRecord]]:
    """The records of ``data``, all of it or its lines one after the other, up to the first torn line."""
    for line in data.splitlines(keepends=True) if isinstance(data, bytes) else data:
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
