"""An output's own encode: another rate or preset of the same programme, on a thread of its own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from sidecar.engine.captions import copier
from sidecar.engine.encode_again import EncodeAgain
from sidecar.engine.encoder import PictureEncoder, SoundEncoder
from sidecar.engine.encoder_settings import encoder_threads
from sidecar.engine.encoder_thread import FrameJob, most_pictures
from sidecar.outputs.packet import Batch
from sidecar.protocol.channel import ChannelFormat, Encoding
from sidecar.rundown.rate import parse_rate, samples_before

_PATIENCE_S: Final = 10


class OwnEncode:
    """``offer`` is the programme encoder's thread's and never waits: pictures it has no time for are left out and
    counted, and only this output's viewers see the one before for longer. Failures are told and tried again."""

    def __init__(
        self, channel: ChannelFormat, encoding: Encoding, deliver: Callable[[Batch], None], *, name: str
    ) -> None:
        """``deliver`` gets every frame's packets, in this thread."""
        self._channel = channel
        self._encoding = encoding
        self._deliver = deliver
        self._most_pictures = most_pictures(channel)
        self._most_waiting = round(_PATIENCE_S * parse_rate(channel.rate))
        self._follows = True  # the next job the one offered before it; written by whoever offers, as the next two
        self._put = 0  # pictures
        self._not_taken = 0  # pictures
        self._taken = 0  # pictures; written by this thread, as the next
        self._lost = 0  # pictures that were taken while there was no encoder
        self._thread = EncodeAgain[tuple[FrameJob, bool]](
            self._encode, name=f"encoder-{name}", what="an output's own encode", forget=self._forget
        )

    @property
    def fault(self) -> str:
        """Why nothing comes of it now, empty while something does."""
        return f"its own encode failed: {fault}" if (fault := self._thread.fault) else ""

    @property
    def waiting(self) -> int:
        """Frames that wait for it."""
        return self._thread.waiting

    @property
    def pictures_left_out(self) -> int:
        return self._not_taken + self._lost

    def start(self) -> None:
        self._thread.start()

    def offer(self, job: FrameJob) -> None:
        if self._thread.waiting >= self._most_waiting:
            self._not_taken += job.picture is not None
            self._follows = False
            return
        if job.picture is not None and self._put - self._taken >= self._most_pictures:
            self._not_taken += 1
            job = replace(job, picture=None)
        self._put += job.picture is not None
        self._thread.put((job, self._follows))
        self._follows = True

    def close(self) -> None:
        """What waits is still encoded, where there is an encoder."""
        self._thread.close()

    def join(self, timeout: float) -> bool:
        return self._thread.join(timeout)

    def _encode(self, jobs: Iterator[tuple[FrameJob, bool]]) -> None:
        pictures = PictureEncoder(self._channel, self._encoding, threads=encoder_threads(self._channel))
        copies = copier(self._channel)
        sounds: SoundEncoder | None = None
        for job, follows in jobs:
            if job.picture is not None:
                self._taken += 1
            if sounds is None or not follows:
                # One that ran on over a gap would have all sound that comes too early, for good.
                sounds = SoundEncoder(self._channel, self._encoding, first_sample=self._first_sample(job.number))
            packets = [] if job.picture is None else pictures.encode(
                # The encoders set timestamp and type on what they are given, and the programme's has the other.
                job.number, copies.of(job.picture), job.wall_ns, captions=job.captions
            )  # fmt: skip
            packets += sounds.encode(job.sound)
            if packets:
                self._deliver(tuple(packets))
                self._thread.came()
        if sounds is not None and (rest := sounds.finish()):
            self._deliver(tuple(rest))

    def _forget(self, waited: tuple[FrameJob, bool]) -> None:
        if waited[0].picture is not None:
            self._taken += 1
            self._lost += 1

    def _first_sample(self, frame: int) -> int:
        return samples_before(frame, parse_rate(self._channel.rate), self._channel.sample_rate)
