"""What ``python -m sidecar loudness PATH`` prints, a JSON line every few seconds; the last is the verdict."""

from typing import Literal

from msgspec import Struct


class Measurement(Struct, frozen=True, omit_defaults=True):
    """The sound of a whole file as it airs. ``loudness_mb``: integrated, in hundredths of LUFS; None: silent all
    through. ``true_peak_mb``: hundredths of dBTP. ``done_ms``: how much of it was heard so far."""

    state: Literal["going", "measured", "failed"]
    done_ms: int = 0
    loudness_mb: int | None = None
    true_peak_mb: int | None = None
    why: str = ""
