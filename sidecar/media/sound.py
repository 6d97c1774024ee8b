"""From whatever a decoder gives to the channel's sound: 48 kHz stereo, in place to the sample, without clicks."""

from collections import deque
from collections.abc import Sequence
from typing import cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.filter import Graph

from sidecar.media.graph import Step, chain, sounds_of
from sidecar.media.interface import Samples

FADE = 144
"""Samples over which sound that breaks off is faded: 3 ms at 48 kHz."""

NEVER = 2**62
"""A sample no item reaches."""

_SAMPLE_RATE = 48_000
_TOLERANCE = 960  # 20 ms at 48 kHz: sound further than this from its time stamps is put in its place
_MINUS_3_DB = 0.7071

_LEFT = {
    "FL": 1.0,
    "FC": _MINUS_3_DB,
    "SL": _MINUS_3_DB,
    "BL": _MINUS_3_DB,
    "FLC": 1.0,
    "BC": 0.5,
    "DL": 1.0,
    "WL": 1.0,
}
_RIGHT = {
    "FR": 1.0,
    "FC": _MINUS_3_DB,
    "SR": _MINUS_3_DB,
    "BR": _MINUS_3_DB,
    "FRC": 1.0,
    "BC": 0.5,
    "DR": 1.0,
    "WR": 1.0,
}
"""ITU-R BS.775 downmix by channel name; the effects channel (LFE) is left out, as it says."""


def downmix(layout: AudioLayout, outputs: int) -> str | None:
    """The pan filter's arguments from ``layout`` to ``outputs`` channels, or None where nothing is to do.

    Mono goes to both sides at its level. Channels without a name are tracks: 1 and 2 are left and right.
    """
    names = [channel.name for channel in layout.channels]
    if outputs == 1:
        return None if len(names) == 1 else "mono|c0=c0"
    if len(names) == 1:
        return "stereo|c0=c0|c1=c0"
    if names == ["FL", "FR"]:
        return None
    left, right = _mix(names, _LEFT), _mix(names, _RIGHT)
    return f"stereo|c0={left}|c1={right}" if left and right else "stereo|c0=c0|c1=c1"


def _mix(names: Sequence[str], gains: dict[str, float]) -> str:
    return "+".join(f"{gains[name]}*c{index}" for index, name in enumerate(names) if name in gains)


def _samples(frame: AudioFrame) -> Samples:
    """Of a frame that is 32 bit float, planar."""
    return cast("Samples", frame.to_ndarray())


class Track:
    """One sound stream on the item's own clock: sample 0 leaves with the item's zero.

    ``start`` is the first sample wanted; what lies before it is dropped. ``outputs`` is 2, or 1 for one of a pair
    of mono tracks.
    """

    def __init__(self, start: int, outputs: int) -> None:
        self._outputs = outputs
        self._blocks: deque[Samples] = deque()
        self._next = start  # the sample that take gives next
        self._end = start  # one past the last sample in the blocks
        self._drop = 0  # samples of what comes out of the graph that lie before _end
        self._fade_in = False
        self._graph: Graph | None = None
        self._kind: tuple[int, str, str] | None = None
        self._origin = 0.0
        self._fed = 0  # samples of the source since _origin
        self._per_fed = 1.0  # samples of ours for one of them
        self.finished = False

    @property
    def end(self) -> int:
        """One past the last sample known."""
        return self._end

    def feed(self, frame: AudioFrame, position: float | None) -> None:
        """``position`` is the sample, on the item's clock, at which the frame sounds; None where it is not known."""
        kind = (frame.sample_rate, frame.format.name, frame.layout.name)
        expected = self._origin + self._fed * self._per_fed
        if position is None:
            position = expected
        if self._kind is None:
            self._begin(round(position))
        elif kind != self._kind or abs(position - expected) > _TOLERANCE:
            self._drain()
            self._begin(round(position if abs(position - expected) > _TOLERANCE else expected))
        if kind != self._kind:
            self._kind = kind
            self._graph = self._converter(frame)
            self._per_fed = _SAMPLE_RATE / frame.sample_rate
        self._fed += frame.samples
        if self._graph is None:
            self._append(_samples(frame))
            return
        frame.pts = None
        self._graph.push(frame)
        for converted in sounds_of(self._graph):
            self._append(_samples(converted))

    def finish(self, until: int) -> None:
        """Nothing follows. Sound that breaks off before sample ``until`` is faded out."""
        self._drain()
        self.finished = True
        if self._end < until:
            self._fade_out()

    def take(self, until: int) -> Samples:
        """The samples up to ``until``, with silence where there are none."""
        wanted = until - self._next
        parts: list[Samples] = []
        while wanted > 0 and self._blocks:
            block = self._blocks.popleft()
            if block.shape[1] > wanted:
                self._blocks.appendleft(block[:, wanted:])
                block = block[:, :wanted]
            parts.append(block)
            wanted -= block.shape[1]
        if wanted > 0:
            parts.append(self._silence(wanted))
            self._drop += wanted  # what comes late for these samples has missed its time
            self._end = until
        self._next = until
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1) if parts else self._silence(0)

    def _begin(self, position: int) -> None:
        """The next sample fed sounds at ``position``: silence up to it, or what overlaps is dropped."""
        self._origin, self._fed = float(position), 0
        self._kind = None
        self._drop = max(0, self._end - position)
        breaks = bool(self._blocks)
        if breaks:
            self._fade_out()
        self._fade_in = breaks
        if position > self._end:
            self._blocks.append(self._silence(position - self._end))
            self._end = position

    def _drain(self) -> None:
        if self._graph is not None:
            self._graph.push(None)
            for converted in sounds_of(self._graph):
                self._append(_samples(converted))
            self._graph = None

    def _append(self, block: Samples) -> None:
        if self._drop:
            dropped = min(self._drop, block.shape[1])
            self._drop -= dropped
            block = block[:, dropped:]
        if not block.shape[1]:
            return
        if self._fade_in:
            self._fade_in = False
            length = min(FADE, block.shape[1])
            block = block.copy()
            block[:, :length] *= np.linspace(0, 1, length, endpoint=False, dtype=np.float32)
        self._blocks.append(block)
        self._end += block.shape[1]

    def _fade_out(self) -> None:
        left = FADE
        for index in range(len(self._blocks) - 1, -1, -1):
            block = self._blocks[index].copy()
            length = min(left, block.shape[1])
            ramp = np.linspace(1, 0, FADE + 1, dtype=np.float32)[1:]
            stop = FADE - (FADE - left)
            block[:, block.shape[1] - length :] *= ramp[stop - length : stop]
            self._blocks[index] = block
            left -= length
            if left == 0:
                return

    def _silence(self, samples: int) -> Samples:
        return np.zeros((self._outputs, samples), np.float32)

    def _converter(self, frame: AudioFrame) -> Graph | None:
        pan = downmix(frame.layout, self._outputs)
        if pan is None and frame.sample_rate == _SAMPLE_RATE and frame.format.name == "fltp":
            return None
        steps: list[Step] = [
            (
                "abuffer",
                {
                    "sample_rate": str(frame.sample_rate),
                    "sample_fmt": frame.format.name,
                    "channel_layout": frame.layout.name,
                    "time_base": f"1/{frame.sample_rate}",
                },
            ),
            # Whole numbers would be clipped while they are mixed.
            ("aformat", {"sample_fmts": "fltp"}),
        ]
        if pan is not None:
            steps.append(("pan", {"args": pan}))
            if frame.layout.nb_channels > 2:
                # A downmix may exceed full scale; normalising it instead would make speech 8 dB too quiet.
                limits = {"limit": "0.98", "level": "0", "latency": "1", "attack": "5", "release": "100"}
                steps.append(("alimiter", limits))
        layout = "stereo" if self._outputs == 2 else "mono"
        steps.append(("aresample", {"sample_rate": str(_SAMPLE_RATE)}))
        steps.append(("aformat", {"sample_fmts": "fltp", "channel_layouts": layout}))
        return chain([*steps, ("abuffersink", {})])


class Sound:
    """The item's sound: nothing, a stereo track, or a left and a right one."""

    def __init__(self, streams: int, start: int) -> None:
        self.tracks = tuple(Track(start, 2 if streams == 1 else 1) for _ in range(streams))
        self._next = start

    @property
    def end(self) -> int:
        """Sample up to which every track is known; beyond all others once no more comes."""
        return min((track.end for track in self.tracks if not track.finished), default=NEVER)

    @property
    def known(self) -> int:
        """One past the last sample of the longest track so far."""
        return max((track.end for track in self.tracks), default=self._next)

    def take(self, until: int) -> Samples:
        """Stereo up to sample ``until``."""
        samples, self._next = until - self._next, until
        if not self.tracks:
            return np.zeros((2, samples), np.float32)
        parts = [track.take(until) for track in self.tracks]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=0)
