"""What a recorder is told to record, and what it says of its recording.

A recorder is a sidecar whose document has a ``recording``. It plays nothing: the items of its playlist are its *jobs*,
each a title from a time on (``fixed_at_ns``; without one, at once). What is recorded belongs to the newest job whose
time has come; with another job another file begins, and no frame is lost between them.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

InputKind = Literal["test", "srt", "rtmp", "udp", "hls", "decklink"]
RecordingState = Literal["waiting", "recording", "no_signal", "no_room", "failed"]
"""``waiting``: for the first picture. ``no_room``: its disk has less left than the floor; it goes on by itself."""

USUAL_TEMPLATE = "{recorder}_{date}_{time}"


class RecorderInput(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``url`` as in ``protocol.live_url``; ``device_index`` is of a DeckLink port, from 1. ``test`` has neither."""

    kind: InputKind
    url: str = ""
    device_index: int | None = None


class Recording(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``template`` as in ``sidecar.recorder.naming``. ``segment_s``: a new file begins so often, 0: never.

    ``floor_mb``: nothing is written while the disk has less left than so many MiB.
    """

    input: RecorderInput
    template: str = USUAL_TEMPLATE
    segment_s: Annotated[int, Meta(ge=0, le=86_400)] = 0
    floor_mb: Annotated[int, Meta(ge=0)] = 1_024


class RecordingStatus(Struct, frozen=True, omit_defaults=True):
    """``frames`` counts pictures recorded in this run, ``lost_frames`` those that did not come between them, in
    ``gaps`` places. ``path`` is the file being written, empty while there is none. ``rate`` is the input's."""

    state: RecordingState
    input: str
    detail: str = ""
    rate: str = ""
    title: str = ""
    path: str = ""
    file_frames: int = 0
    file_bytes: int = 0
    files: int = 0
    frames: int = 0
    gaps: int = 0
    lost_frames: int = 0
    free_mb: int | None = None
