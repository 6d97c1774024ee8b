"""The sources that are open: exactly those the rundown clock wants. A source that misbehaves becomes a failed one."""

import logging
from collections.abc import Callable, Sequence
from fractions import Fraction

import av

from sidecar.media.interface import Lengthened, Moment, Source
from sidecar.protocol.channel import ChannelFormat
from sidecar.rundown.model import Airing, SourceView, Supply
from sidecar.rundown.rate import samples_before

log = logging.getLogger(__name__)

OpenSource = Callable[[Airing, ChannelFormat], Source]
"""Must not block; raises OSError or ValueError for what cannot even be tried."""

_OPENING = SourceView(Supply.OPENING)


class SourcePool:
    """Owned by the playout thread; only ``first_picture`` is asked by others."""

    def __init__(self, open_source: OpenSource, channel: ChannelFormat) -> None:
        self._open_source = open_source
        self._channel = channel
        self._sources: dict[int, Source] = {}
        self._failures: dict[int, SourceView] = {}
        self._wanted: tuple[Airing, ...] = ()

    def sync(self, wanted: Sequence[Airing]) -> None:
        """Opens what is wanted and closes everything else."""
        wanted = tuple(wanted)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        numbers = {airing.number for airing in wanted}
        for number in [number for number in self._sources if number not in numbers]:
            self._close(self._sources.pop(number))
        for number in [number for number in self._failures if number not in numbers]:
            del self._failures[number]
        for airing in wanted:
            if airing.number not in self._sources and airing.number not in self._failures:
                self._open(airing)

    def view(self, airing: Airing) -> SourceView:
        """OPENING for an airing that was never wanted."""
        failure = self._failures.get(airing.number)
        if failure is not None:
            return failure
        source = self._sources.get(airing.number)
        if source is None:
            return _OPENING
        try:
            return source.view()
        except Exception as error:  # a defect in one source costs that item, never the channel
            return self._failed(airing, error)

    def take(self, airing: Airing, samples: int) -> Moment | None:
        """None when the source gives nothing it may; it has then failed."""
        source = self._sources.get(airing.number)
        if source is None:
            return None
        try:
            moment = source.take(samples)
        except Exception as error:  # as in view
            self._failed(airing, error)
            return None
        if moment.sound.shape != (2, samples):
            # Frames and samples would part for ever.
            self._failed(airing, ValueError(f"gave sound of shape {moment.sound.shape}, not (2, {samples})"))
            return None
        return moment

    def drop(self, airing: Airing, frames: int, rate: Fraction) -> int:
        """Takes the next ``frames`` channel frames out of the source, picture and sound, unshown; how many it had."""
        for index in range(frames):
            if self.view(airing).supply is not Supply.READY:
                return index
            first, end = (
                samples_before(airing.first_frame + index + step, rate, self._channel.sample_rate) for step in (0, 1)
            )
            if self.take(airing, end - first) is None:
                return index
        return frames

    def lengthen(self, airing: Airing, frames: int) -> None:
        """The item on air is to last to this channel frame of it."""
        source = self._sources.get(airing.number)
        if isinstance(source, Lengthened):
            source.lengthen(frames)

    def first_picture(self) -> av.VideoFrame | None:
        """What would be shown first of the most urgent source that has a picture; for any thread."""
        for airing in self._wanted:
            source = self._sources.get(airing.number)
            picture = source.peek() if source is not None else None
            if picture is not None:
                return picture
        return None

    def close(self) -> None:
        self.sync(())

    def _open(self, airing: Airing) -> None:
        try:
            self._sources[airing.number] = self._open_source(airing, self._channel)
        except Exception as error:  # as in view
            self._failed(airing, error)

    def _failed(self, airing: Airing, error: Exception) -> SourceView:
        if not isinstance(error, OSError):
            log.error("the source of %s failed", airing.item.title, exc_info=error)
        view = SourceView(Supply.FAILED, str(error) or type(error).__name__)
        self._failures[airing.number] = view
        source = self._sources.pop(airing.number, None)
        if source is not None:
            self._close(source)
        return view

    def _close(self, source: Source) -> None:
        try:
            source.close()
        except Exception:  # it is not asked again
            log.exception("a source did not close well")
