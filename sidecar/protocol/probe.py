"""What ``python -m sidecar probe PATH…`` prints, a JSON line a path.

Probing runs in a process of its own: a file that crashes or hangs a demuxer then costs one probe and nothing else.
"""

from typing import Literal

from msgspec import Struct


class Probe(Struct, frozen=True, omit_defaults=True):
    """``verdict`` usable: video or audio that decodes. ``rate`` is the picture's average rate as a rational;
    ``duration_frames`` counts at it. ``refusal`` says, for people, why a file cannot be used; ``passes``: for want of
    time alone, so that it may be tried again later. ``aspect`` is width to
    height as seen, a rational; ``audio_tracks`` the layouts of all sound streams in order. None: not known."""

    path: str
    verdict: Literal["usable", "refused"]
    refusal: str = ""
    passes: bool = False
    rate: str | None = None
    duration_frames: int | None = None
    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    audio_channels: int | None = None
    start_timecode: str | None = None
    scan: Literal["progressive", "interlaced"] | None = None
    aspect: str | None = None
    variable_rate: bool | None = None
    captions: bool | None = None
    audio_tracks: tuple[str, ...] = ()
    silent: bool | None = None
