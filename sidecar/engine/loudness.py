"""EBU R128 of the programme, by FFmpeg's own filter, on a thread that nothing waits for."""

import logging
import math
import os
import threading
from collections import deque
from fractions import Fraction
from itertools import groupby
from operator import itemgetter

import av
import av.filter
import numpy as np

from sidecar.engine.integrated import IntegratedLoudness
from sidecar.engine.true_peak import TruePeak
from sidecar.media.interface import Samples
from sidecar.protocol.status import Loudness

log = logging.getLogger(__name__)

_BLOCK_MS = 100  # the filter's own step
_WAKE_S = 0.25
_PEAK_BLOCKS = 10
_BACKLOG = 500  # portions of sound; at 50 a second 10 s
_SILENCE_LUFS = -120.0  # what the filter says for nothing


class LoudnessMeter:
    """Measures sound in portions of any length, in order.

    PyAV gives no access to a frame's metadata, where the filter leaves its figures, so a second filter prints them
    into a pipe (some 300 bytes for each 100 ms, read at once).
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._block = sample_rate * _BLOCK_MS // 1000
        self._position = 0
        self._waiting = np.empty((2, 0), np.float32)
        self._peaks: deque[float] = deque(maxlen=_PEAK_BLOCKS)
        self._figures: dict[str, float] = {}
        self._integrated = IntegratedLoudness()
        self._true_peak = TruePeak()
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        graph = av.filter.Graph()
        self._source = graph.add_abuffer(
            sample_rate=sample_rate, format="fltp", layout="stereo", time_base=Fraction(1, sample_rate)
        )
        meter = graph.add("ebur128", "metadata=1:framelog=quiet")
        printer = graph.add("ametadata", mode="print", file=f"pipe:{self._writer}", direct="1")
        self._sink = graph.add("abuffersink")
        graph.link_nodes(self._source, meter, printer, self._sink).configure()
        self._graph = graph

    def close(self) -> None:
        """Gives the pipe back."""
        os.close(self._reader)
        os.close(self._writer)

    def begin_item(self) -> None:
        """Another item's sound follows: integrated loudness and true peak begin anew."""
        self._integrated.begin()
        self._true_peak.begin()

    def add(self, sound: Samples) -> None:
        self._true_peak.add(sound)
        waiting = np.concatenate([self._waiting, sound], axis=1)
        while waiting.shape[1] >= self._block:
            self._measure(np.ascontiguousarray(waiting[:, : self._block]))
            waiting = waiting[:, self._block :]
        self._waiting = waiting

    def _measure(self, block: Samples) -> None:
        self._peaks.append(float(np.abs(block).max()))
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = self._sample_rate, self._position
        frame.time_base = Fraction(1, self._sample_rate)
        self._position += self._block
        self._source.push(frame)
        while True:
            try:
                self._sink.pull()
            except (BlockingIOError, EOFError):
                break
        self._read_figures()

    def _read_figures(self) -> None:
        try:
            text = os.read(self._reader, 65_536).decode("ascii", "replace")
        except BlockingIOError:  # the filter has not had 100 ms yet
            return
        for line in text.splitlines():
            name, equals, value = line.partition("=")
            if equals and name in ("lavfi.r128.M", "lavfi.r128.S"):
                self._figures[name] = float(value)
                if name == "lavfi.r128.M":
                    self._integrated.add(self._figures[name])

    @property
    def loudness(self) -> Loudness:
        """The newest figures; the peak is the highest sample of the last second."""
        integrated = self.integrated_lufs
        return Loudness(
            momentary_lufs=self._lufs("lavfi.r128.M"),
            short_term_lufs=self._lufs("lavfi.r128.S"),
            peak_dbfs=_decibels(max(self._peaks, default=0.0)),
            integrated_lufs=None if integrated is None else round(integrated, 1),
            true_peak_dbtp=_decibels(self._true_peak.highest),
        )

    @property
    def integrated_lufs(self) -> float | None:
        """Since the item began, not rounded; None for silence."""
        return self._integrated.lufs

    @property
    def true_peak(self) -> float:
        """Since the item began; full scale is 1.0."""
        return self._true_peak.highest

    def _lufs(self, name: str) -> float | None:
        figure = self._figures.get(name)
        if figure is None or not math.isfinite(figure) or figure <= _SILENCE_LUFS:
            return None
        return round(figure, 1)


def _decibels(level: float) -> float | None:
    return round(20 * math.log10(level), 1) if level > 0 else None


class LoudnessThread:
    """Meters what ``offer`` gets; leaves sound out rather than hold anybody up."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._sounds: deque[tuple[int, Samples]] = deque(maxlen=_BACKLOG)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loudness", daemon=True)
        self.loudness = Loudness(None, None, None)

    def start(self) -> None:
        self._thread.start()

    def offer(self, sound: Samples, airing: int = 0) -> None:
        """``airing`` numbers whose sound it is; with another number the item's figures begin anew."""
        self._sounds.append((airing, sound))

    def close(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._measure()
            except Exception:  # a meter that breaks is made anew; the air has nothing to do with it
                log.exception("the loudness meter failed")
                self.loudness = Loudness(None, None, None)
                self._ended.wait(5.0)

    def _measure(self) -> None:
        meter, current = LoudnessMeter(self._sample_rate), 0
        try:
            while not self._ended.wait(_WAKE_S):
                portions = [self._sounds.popleft() for _ in range(len(self._sounds))]
                for airing, sounds in groupby(portions, key=itemgetter(0)):
                    if airing != current:
                        current = airing
                        meter.begin_item()
                    meter.add(np.concatenate([sound for _, sound in sounds], axis=1))
                if portions:
                    self.loudness = meter.loudness
        finally:
            meter.close()
