"""The narrow place where an item becomes output."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import av
import numpy as np
from numpy.typing import NDArray

from sidecar.rundown.model import SourceView

Samples = NDArray[np.float32]
"""Sound in shape (2, samples), full scale 1.0, at the channel's sample rate."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One channel frame: a picture in the channel's format and the samples that leave with it.

    ``source_frame`` is the source's own frame number it came from (for as-run and tests), -1 where it has none.
    The picture is shared and must not be written to: repeats hand out the same object.
    """

    picture: av.VideoFrame
    sound: Samples
    source_frame: int


class Source(Protocol):
    """One airing of one item, decoded ahead on threads of its own into a bounded queue.

    No method blocks, whatever the file, the disk or its server does: a thread stuck in a read is abandoned.
    """

    def view(self) -> SourceView:
        """READY when ``take`` will give a moment; FAILED and ENDED are final."""
        ...

    def take(self, samples: int) -> Moment:
        """The next channel frame with exactly ``samples`` samples. Only after ``view`` said READY."""
        ...

    def peek(self) -> av.VideoFrame | None:
        """The picture the next ``take`` would give, None while there is none. For any thread."""
        ...

    def close(self) -> None:
        """Gives everything back, in its own time; may be repeated."""
        ...


@runtime_checkable
class Lengthened(Protocol):
    """A source that ends with its item's length, which an operator may change while it airs."""

    def lengthen(self, frames: int) -> None:
        """It is to last to this channel frame of the item, where there is so much."""
        ...
