"""What a server that we start is told to be: its ``casparcg.config``. Pure.

Elements as read in ``shell/casparcg.config``, ``common/env.cpp`` and ``shell/server.cpp`` (2.3.3 to 2.5.0). The sample
that is shipped writes the attribute ``disable`` of ``log-path`` while the code reads ``disabled``: it is left out here.
No consumer is configured: one that fails at the start is only logged, while an ADD is answered and looked at.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from sidecar.protocol.caspar_modes import Mode, mode_named, progressive_mode
from sidecar.protocol.channel import CasparServer, ChannelFormat
from sidecar.rundown.rate import parse_rate, samples_before

_SAMPLE_RATE: Final = 48_000
_LONGEST_CADENCE: Final = 1001


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """Where a server of ours has its files. ``media``: what its relative names mean; clips are named by whole paths."""

    root: Path
    media: Path

    @property
    def config(self) -> Path:
        return self.root / "casparcg.config"

    @property
    def made(self) -> tuple[Path, ...]:
        """Must be there and be written to, else it does not start."""
        return (self.root / "log", self.root / "data", self.root / "template")


def wanted_mode(server: CasparServer, format_: ChannelFormat) -> Mode:
    """Of the server's channel. Raises ValueError for one that does not go with the channel's format."""
    rate = parse_rate(format_.rate)
    if not server.mode:
        found = progressive_mode(format_.width, format_.height, rate)
        return found or Mode(_own_name(format_, rate), format_.width, format_.height, rate)
    mode = mode_named(server.mode)
    if mode is None:
        raise ValueError(f"a CasparCG server has no video mode {server.mode!r}")
    if (mode.width, mode.height, mode.rate) != (format_.width, format_.height, rate):
        raise ValueError(
            f"the server's mode {mode.name} is {mode.width}x{mode.height} at {mode.rate} frames a second, the channel "
            f"{format_.width}x{format_.height} at {rate}: give both the same format"
        )
    return mode


def written_config(server: CasparServer, mode: Mode, folder: ServerFolder) -> str:
    """The whole file. Channels before ours are there for their numbers, of the same mode and with nothing on them."""
    channel = f"    <channel>\n      <video-mode>{escape(mode.name)}</video-mode>\n      <consumers/>\n    </channel>\n"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        "<configuration>\n"
        "  <log-level>info</log-level>\n"
        "  <paths>\n"
        f"    <media-path>{_folder(folder.media)}</media-path>\n"
        f"    <log-path>{_folder(folder.root / 'log')}</log-path>\n"
        f"    <data-path>{_folder(folder.root / 'data')}</data-path>\n"
        f"    <template-path>{_folder(folder.root / 'template')}</template-path>\n"
        "  </paths>\n"
        f"{_made_up(mode)}"
        f"  <channels>\n{channel * server.channel}  </channels>\n"
        "  <controllers>\n"
        f"    <tcp>\n      <port>{server.port}</port>\n      <protocol>AMCP</protocol>\n    </tcp>\n"
        "  </controllers>\n"
        "  <osc>\n"
        "    <default-port>6250</default-port>\n"  # whoever wants it subscribes, see ``osc``
        "    <disable-send-to-amcp-clients>true</disable-send-to-amcp-clients>\n"
        "  </osc>\n"
        "</configuration>\n"
    )


def _own_name(format_: ChannelFormat, rate: Fraction) -> str:
    return f"{format_.width}x{format_.height}p{rate.numerator}_{rate.denominator}"


def _folder(path: Path) -> str:
    return escape(f"{path.absolute()}/")


def _made_up(mode: Mode) -> str:
    if mode_named(mode.name) is not None:
        return ""
    cadence = ",".join(map(str, _cadence(mode.rate)))
    scale = 1000 if mode.rate.denominator == 1 else 1
    return (
        "  <video-modes>\n    <video-mode>\n"
        f"      <id>{escape(mode.name)}</id>\n      <width>{mode.width}</width>\n      <height>{mode.height}</height>\n"
        f"      <time-scale>{mode.rate.numerator * scale}</time-scale>\n"
        f"      <duration>{mode.rate.denominator * scale}</duration>\n"
        f"      <cadence>{cadence}</cadence>\n"
        "    </video-mode>\n  </video-modes>\n"
    )


def _cadence(rate: Fraction) -> list[int]:
    """Samples of frame after frame until they are whole; the server checks their sum."""
    frames = next(n for n in range(1, _LONGEST_CADENCE + 1) if (n * _SAMPLE_RATE / rate).denominator == 1)
    return [samples_before(n + 1, rate, _SAMPLE_RATE) - samples_before(n, rate, _SAMPLE_RATE) for n in range(frames)]
