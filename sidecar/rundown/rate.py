"""Frame rates are exact rationals; samples and milliseconds follow from frames, never the other way."""

from fractions import Fraction


def parse_rate(text: str) -> Fraction:
    """``"25"`` or ``"30000/1001"`` as frames a second. Raises ValueError for anything else, zero included."""
    numerator, slash, denominator = text.partition("/")
    if (
        not numerator.isascii()
        or not numerator.isdigit()
        or (slash and not (denominator.isascii() and denominator.isdigit()))
    ):
        raise ValueError(f"not a frame rate: {text!r}; write 25 or 30000/1001")
    if int(numerator) == 0 or (slash and int(denominator) == 0):
        raise ValueError(f"not a frame rate: {text!r}; it is zero")
    return Fraction(int(numerator), int(denominator) if slash else 1)


def format_rate(rate: Fraction) -> str:
    return str(rate)


def samples_before(frame: int, rate: Fraction, sample_rate: int) -> int:
    """How many samples leave before ``frame``: frame n carries samples_before(n) to samples_before(n + 1)."""
    return frame * sample_rate * rate.denominator // rate.numerator


def due_ns(frame: int, rate: Fraction) -> int:
    """Nanoseconds from the first frame to ``frame``, exact to the nanosecond however many days pass."""
    return frame * 1_000_000_000 * rate.denominator // rate.numerator


def frames_to_ms(frames: int, rate: Fraction) -> int:
    return frames * 1_000 * rate.denominator // rate.numerator


def converted_frames(frames: int, source: Fraction, target: Fraction) -> int:
    """Length in ``target`` frames of ``frames`` at ``source``, to the nearest, halves up, at least 1.

    Output frame m of an item shows source frame floor(m * source / target): what is on screen at that instant.
    """
    exact = frames * target / source
    return max(1, (2 * exact.numerator + exact.denominator) // (2 * exact.denominator))


def frames_in(seconds: Fraction | int, rate: Fraction) -> int:
    """Whole frames that last at least ``seconds``."""
    return -int(-seconds * rate // 1)
