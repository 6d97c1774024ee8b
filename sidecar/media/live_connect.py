"""Whether a live input connects and brings a picture: ``python -m sidecar connect``, the url on its standard input.

A process of its own: libsrt, as libavformat has it, ends every session of a process when one is closed, and what hangs
can be killed. The url holds what is secret, so that it is no argument.
"""

import os
import subprocess
import sys
from typing import Final, NoReturn

from sidecar.media.live_opening import open_live
from sidecar.media.opening import Unusable
from sidecar.protocol.live_url import parse_live_url

DEADLINE_S: Final = 30.0
_OF_THE_SIDECAR: Final = frozenset({"CHANNEL_ID", "MCR_EPOCH", "MCR_STATE_DIR", "MCR_TOKEN", "MCR_LEASH_FD"})
_LONGEST_URL: Final = 1024
_NICE: Final = 10
"""What airs goes before it."""


def why_not(url: str) -> str:
    """In an operator's words why the input at ``url`` does not connect; empty where it does. Blocks for at most
    ``DEADLINE_S`` and what a process takes to start."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "sidecar", "connect"],
            input=url, capture_output=True, text=True, timeout=DEADLINE_S, check=False, env=_environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it was not connected within {DEADLINE_S:.0f} s: {parse_live_url(url).shown}"
    if done.returncode == 0:
        return done.stdout.strip()
    return f"connecting it ended the process (code {done.returncode}): {parse_live_url(url).shown}"


def _environment() -> dict[str, str]:
    """Without what tells its sidecar from others: whoever looks for that must not find this one."""
    return {name: value for name, value in os.environ.items() if name not in _OF_THE_SIDECAR}


def main() -> NoReturn:
    """Prints the reason, or nothing, and ends the process whatever still hangs in it."""
    os.nice(_NICE)
    url = sys.stdin.read(_LONGEST_URL + 1)
    try:
        open_live(parse_live_url(url)).close()
    except (Unusable, ValueError) as error:
        sys.stdout.write(f"{error}\n")
        sys.stdout.flush()
    os._exit(0)
