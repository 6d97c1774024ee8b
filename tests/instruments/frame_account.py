"""Accounts for every frame of a recording of numbered clips: none lost, repeated or black beyond what must be.

A clip of ``source`` frames a second in a programme of ``target`` frames a second shows at its m-th frame the source's
frame floor(m * source / target): whatever differs from that is a fault.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from tests.instruments.frame_cells import Seen


@dataclass(frozen=True, slots=True)
class NumberedClip:
    rate: Fraction
    frames: int


@dataclass(slots=True)
class Account:
    """Counts over one recording; ``faults`` names each, bounded to the first fifty."""

    frames: int = 0
    seams: int = 0
    black: int = 0
    unreadable: int = 0
    lost: int = 0
    repeated: int = 0
    wrong_length: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        if len(self.faults) < 50:
            self.faults.append(text)

    @property
    def clean(self) -> bool:
        return not (self.black or self.unreadable or self.lost or self.repeated or self.wrong_length)


def expected_length(clip: NumberedClip, target: Fraction) -> int:
    """Programme frames a whole clip airs for: to the nearest, halves up."""
    exact = clip.frames * target / clip.rate
    return int(exact + Fraction(1, 2))


def account(seen: Iterable[Seen], clips: Mapping[int, NumberedClip], target: Fraction) -> Account:
    """The first clip of the recording may be joined in the middle and the last may be cut; every other is whole.

    A clip that follows itself is told from a repeat by its number starting again at 0.
    """
    result = Account()
    clip_number: int | None = None
    at = 0  # programme frames into the clip
    whole = False  # the clip's length can be told at its end
    for index, frame in enumerate(seen):
        result.frames += 1
        if frame.black:
            result.black += 1
            result.fault(f"frame {index}: black")
            continue
        if frame.clip is None or frame.number is None:
            result.unreadable += 1
            result.fault(f"frame {index}: no cells to read")
            continue
        clip = clips[frame.clip]
        starts = frame.clip != clip_number or (frame.number == 0 and at > 1 and _shown(at, clip, target) > 1)
        if starts:
            if clip_number is not None:
                result.seams += 1
                _close(result, index, clip_number, clips[clip_number], at, target, whole=whole)
                if frame.number != 0:
                    result.lost += frame.number
                    result.fault(f"frame {index}: clip {frame.clip} begins at its frame {frame.number}")
            # A clip joined in the middle is placed exactly only where each of its frames airs at most once.
            whole = frame.number == 0 or clip.rate >= target
            clip_number = frame.clip
            # A clip joined in the middle is placed by its first number: the lowest frame that shows it.
            at = (
                0
                if frame.number == 0
                else -(
                    -frame.number
                    * target.numerator
                    * clip.rate.denominator
                    // (target.denominator * clip.rate.numerator)
                )
            )
        else:
            expected = _shown(at, clip, target)
            difference = frame.number - expected
            if difference < 0:
                result.repeated += 1
                result.fault(f"frame {index}: clip {frame.clip} shows {frame.number} instead of {expected}")
            elif difference > 0:
                result.lost += 1
                result.fault(f"frame {index}: clip {frame.clip} shows {frame.number} instead of {expected}")
            if difference:  # go on from what is shown, so that one slip is one fault
                at = round(frame.number * target / clip.rate)
                while _shown(at, clip, target) < frame.number:
                    at += 1
        at += 1
    return result


def _shown(at: int, clip: NumberedClip, target: Fraction) -> int:
    return at * clip.rate.numerator * target.denominator // (clip.rate.denominator * target.numerator)


def _close(
    result: Account, index: int, number: int, clip: NumberedClip, at: int, target: Fraction, *, whole: bool
) -> None:
    if whole and at != expected_length(clip, target):
        result.wrong_length += 1
        result.fault(f"frame {index}: clip {number} aired {at} frames instead of {expected_length(clip, target)}")
