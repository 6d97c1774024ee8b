"""The encoder's thread: frames in by a bounded queue, packets out to every output's own queue."""

import queue
from collections.abc import Callable
from dataclasses import dataclass, replace

import av

from sidecar.engine.encoder import PictureEncoder, SoundEncoder
from sidecar.engine.threads import OnDeath, vital_thread
from sidecar.media.interface import Samples
from sidecar.outputs.packet import Batch, EncodedPacket
from sidecar.protocol.channel import ChannelFormat, Meant
from sidecar.rundown.rate import parse_rate

_MOST_BYTES = 48 << 20
_FEWEST_PICTURES = 8


def most_pictures(channel: ChannelFormat) -> int:
    """Pictures that may wait: a second of them, so that a machine that stumbles loses nothing, within 48 MB."""
    picture_bytes = channel.width * channel.height * 3 // 2
    return max(_FEWEST_PICTURES, min(round(parse_rate(channel.rate)), _MOST_BYTES // picture_bytes))


@dataclass(frozen=True, slots=True)
class FrameJob:
    """Output frame ``number``, due at ``wall_ns``. Without a picture only its sound is encoded.

    ``airing`` numbers what is on air, 0 where nothing is; ``meant`` are faults that are meant so; ``logo``: it carries
    the channel's logo, which is put on where it is encoded; ``captions``: those of the picture may pass. As it is
    delivered, those of a picture that stands may no more.
    """

    number: int
    wall_ns: int
    picture: av.VideoFrame | None
    sound: Samples
    airing: int = 0
    meant: tuple[Meant, ...] = ()
    logo: bool = False
    captions: bool = True


class EncoderStuckError(Exception):
    """The encoder has taken nothing for too long to believe that it ever will."""


class EncoderThread:
    """``put`` is the playout thread's and never waits. When pictures pile up they are left out, and the player shows
    the one before for longer; sound is never left out, so that time goes on."""

    def __init__(
        self,
        pictures: PictureEncoder,
        sounds: SoundEncoder,
        *,
        deliver: Callable[[FrameJob, Batch], None],
        finish_picture: Callable[[av.VideoFrame], av.VideoFrame] = lambda picture: picture,
        most_pictures: int,
        most_waiting: int,
        on_death: OnDeath,
    ) -> None:
        """``deliver`` gets every frame with its packets, in this thread, and ``finish_picture`` makes, in it too, what
        is encoded of a picture with the logo. ``most_waiting`` frames without progress of the encoder are the end of
        it."""
        self._pictures = pictures
        self._sounds = sounds
        self._deliver = deliver
        self._finish_picture = finish_picture
        self._most_pictures = most_pictures
        self._most_waiting = most_waiting
        self._queue: queue.SimpleQueue[FrameJob | None] = queue.SimpleQueue()
        self._pictures_put = 0  # written by the playout thread only
        self._pictures_taken = 0  # written by the encoder's thread only
        self._thread = vital_thread("encoder", self._run, on_death)

    def start(self) -> None:
        self._thread.start()

    def put(self, job: FrameJob) -> bool:
        """False when the picture was left out. Raises EncoderStuckError."""
        if self._queue.qsize() >= self._most_waiting:
            raise EncoderStuckError(f"{self._most_waiting} frames wait for the encoder")
        if job.picture is None or self._pictures_put - self._pictures_taken >= self._most_pictures:
            self._queue.put(replace(job, picture=None))
            return False
        self._pictures_put += 1
        self._queue.put(job)
        return True

    def close(self) -> None:
        """What waits is still encoded."""
        self._queue.put(None)

    def join(self, timeout: float) -> bool:
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        last: FrameJob | None = None
        before: av.VideoFrame | None = None  # without the logo, which may come and go while it stands
        while (job := self._queue.get()) is not None:
            captions = job.captions and job.picture is not before
            before = job.picture or before
            if job.logo and job.picture is not None:
                job = replace(job, picture=self._finish_picture(job.picture))
            if captions != job.captions:  # whoever encodes it too must not say them again either
                job = replace(job, captions=captions)
            last = job
            packets: list[EncodedPacket] = []
            if job.picture is not None:
                packets = self._pictures.encode(job.number, job.picture, job.wall_ns, captions=captions)
            packets += self._sounds.encode(job.sound)
            if job.picture is not None:
                self._pictures_taken += 1
            self._deliver(job, tuple(packets))
        if last is not None:
            self._deliver(replace(last, picture=None, sound=last.sound[:, :0]), tuple(self._sounds.finish()))
