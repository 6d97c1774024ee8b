"""An ``ffmpeg`` built with DeckLink, without a card: its words, its manners and real pictures, from stand-in ports.

Ports are the files of a directory, busy as with a real driver (``sidecar.outputs.decklink_stand_in``). What it says is
said by FFmpeg 4.4 to 8.0. Files in the directory change its manners: ``no_device``: it is built without DeckLink.
``no_driver``: the driver does not answer. ``no_signal``: nothing is plugged in, while it is there. ``hangs``: no
picture comes any more.
"""

import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from sidecar.outputs.decklink import PortBusy
from sidecar.outputs.decklink_stand_in import StandInDriver
from sidecar.protocol.channel import ChannelFormat
from tests.fixtures.air import numbered_picture

SIZE = (320, 180)
RATE = 25
CLIP = 9
_SAMPLES = 48_000 // RATE
_BASE = Fraction(1, 1_000_000)


def main(directory: Path, arguments: list[str]) -> int:
    if "-sources" in arguments:
        return _list(directory)
    if (directory / "no_device").exists():
        return _say("Unknown input format: 'decklink'", 1)
    return _capture(directory, arguments[arguments.index("-i") + 1])


def _ports(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.name in {f"io{n}" for n in range(10)})


def _list(directory: Path) -> int:
    if (directory / "no_device").exists():
        return 0
    sys.stdout.write("Auto-detected sources for decklink:\n")
    if (directory / "no_driver").exists():
        _say("[decklink @ 0x55d0c8] Could not create DeckLink iterator", 0)
        sys.stdout.write("Cannot list sources: Input/output error\n")
        return 1
    for number, _ in enumerate(_ports(directory)):
        sys.stdout.write(f"  75:05326625:0000000{number} [DeckLink Duo 2 ({number + 1})] (video, audio)\n")
    return 0


def _capture(directory: Path, name: str) -> int:
    names = [f"DeckLink Duo 2 ({number + 1})" for number, _ in enumerate(_ports(directory))]
    if name not in names:
        return _say(f"{name}: No such device or address", 1)
    began = time.monotonic()
    try:
        port = StandInDriver(directory).open(names.index(name) + 1)
    except PortBusy:
        _say("[decklink @ 0x55d0c8] Cannot Autodetect input stream or No signal", 1)
        return _say(f"{name}: Input/output error", 1)
    while (directory / "no_signal").exists():
        if time.monotonic() - began > 3.0:
            _say("[decklink @ 0x55d0c8] Cannot Autodetect input stream or No signal", 1)
            return _say(f"{name}: Input/output error", 1)
        time.sleep(0.1)
    _say("[decklink @ 0x55d0c8] Autodetected the input mode", 0)
    _say(f"[decklink @ 0x55d0c8] Found Decklink mode {SIZE[0]} x {SIZE[1]} with rate 25.00(i)", 0)
    with av.open("pipe:1", "w", format="nut", options={"flush_packets": "1"}) as container:
        sound = container.add_stream("pcm_s16le", rate=48_000)
        picture = container.add_stream("rawvideo", rate=RATE)
        sound.layout = "stereo"
        picture.width, picture.height, picture.pix_fmt = *SIZE, "uyvy422"
        picture.time_base = picture.codec_context.time_base = _BASE
        form = ChannelFormat(*SIZE, str(RATE))
        number, has_signal = 0, True
        while True:
            while (directory / "hangs").exists():
                time.sleep(0.1)
            if has_signal == (directory / "no_signal").exists():
                has_signal = not has_signal
                what = "Input returned" if has_signal else "No input signal detected"
                _say(f"[decklink @ 0x55d0c8] Frame received (#{number}) - {what} - Frames dropped 1", 0)
            time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            port.write(())
            frame = numbered_picture(number, CLIP, form).reformat(format="uyvy422")
            frame.pts, frame.time_base = number * 1_000_000 // RATE, _BASE
            container.mux(picture.encode(frame))
            beep = np.full((1, 2 * _SAMPLES), 1000 * (number % RATE < 5), np.int16)
            tone = av.AudioFrame.from_ndarray(beep, format="s16", layout="stereo")
            tone.sample_rate, tone.pts, tone.time_base = 48_000, number * _SAMPLES, Fraction(1, 48_000)
            container.mux(sound.encode(tone))
            number += 1


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
    return code


def installed(directory: Path) -> Path:
    """A program that can be started, and that is this one with ``directory`` for its ports."""
    root = Path(__file__).parents[2]
    program = directory / "ffmpeg"
    program.write_text(
        f"#!{sys.executable} -P\nimport sys\nfrom pathlib import Path\nsys.path.insert(0, {str(root)!r})\n"
        "from tests.doubles.decklink_ffmpeg import main\n"
        f"sys.exit(main(Path({str(directory)!r}), sys.argv[1:]))\n"
    )
    program.chmod(0o755)
    return program
