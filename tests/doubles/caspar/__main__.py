"""The server of the tests as a program of its own: ``python -m tests.doubles.caspar casparcg.config``.

It reads its port and mode where the real one does, says what that says, and ends as that ends: by KILL and RESTART, by
SIGTERM in peace from 2.5 on. ``FAKE_CASPAR_VERSION`` names its version, ``FAKE_CASPAR_NO_EGL`` takes its graphics.
"""

import asyncio
import os
import signal
import sys
import time
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.doubles.caspar.layers import Clip
from tests.doubles.caspar.server import FakeCaspar

EXIT_RESTART = 5
TICKS = {"720p2500": "25", "720p5000": "50", "1080i5000": "50", "1080p2500": "25"}


def say(level: str, words: str) -> None:
    sys.stdout.write(f"[2026-11-22 10:16:47.438] [{level}]    {words}\n")
    sys.stdout.flush()


def library(name: str) -> Clip | None:
    """Any file that is there, ten seconds long."""
    return Clip(name, 250) if Path(name).is_file() else None


async def serve(config: ET.Element, version: str) -> int:
    port = int(config.findtext("controllers/tcp/port", "5250"))
    form = config.findtext("channels/channel/video-mode", "PAL")
    rate = Fraction(TICKS.get(form, "25"))
    server = FakeCaspar(library, time.monotonic, form=form, rate=rate, version=version, port=port)
    ended = asyncio.Event()
    server.on_end = ended.set
    if not version.startswith(("2.3", "2.4")):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    try:
        async with server:
            say("info", "Initialized controllers.")
            await ended.wait()
            await asyncio.sleep(0.05)  # the reply leaves
    except OSError:
        say("fatal", f"Failed to setup AMCP controller on port {port}. It is likely already in use")
        return 1
    say("info", "Successfully shutdown CasparCG Server.")
    return EXIT_RESTART if server.restarts else 0


def main() -> int:
    version = os.environ.get("FAKE_CASPAR_VERSION", "2.5.0 69e8ad552 Stable")
    if "DISPLAY" not in os.environ and (version.startswith(("2.3", "2.4")) or "FAKE_CASPAR_NO_EGL" in os.environ):
        say("error", "[caspar::tag_msg_info*] = Failed to initialize OpenGL: no display")
        return 1
    root = ET.parse(sys.argv[1]).getroot()
    for folder in ("log", "data", "template"):
        if not Path(root.findtext(f"paths/{folder}-path", "")).is_dir():
            say("fatal", f"{folder} folder is not there")
            return 1
    return asyncio.run(serve(root, version))


if __name__ == "__main__":
    sys.exit(main())
