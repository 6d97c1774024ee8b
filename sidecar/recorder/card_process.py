"""A program that captures from a card, as a child of this process: what it sends, what it says, and its end."""

import logging
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sidecar.protocol.card_program import LOOK_S, Listing, listing_arguments, listing_of, no_program

_LINES: Final = 40
_LINE_BYTES: Final = 1_000
_END_S: Final = 2.0
_MOST_LISTED: Final = 64 << 10

log = logging.getLogger(__name__)


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what is between a node and its sidecars: by it they are found, and one is the key to this one's door."""
    return {name: value for name, value in environment.items() if name != "CHANNEL_ID" and not name.startswith("MCR_")}


def list_ports(program: str, environment: Mapping[str, str]) -> Listing:
    """What ``program`` says it can capture from. Blocks for at most ``LOOK_S`` and two seconds."""
    try:
        child = subprocess.Popen(  # noqa: S603 - the administrator's own program, and no shell
            listing_arguments(program), env=own_environment(environment), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except FileNotFoundError:
        return Listing(fault=no_program(program))
    except OSError as error:
        return Listing(fault=f"{program!r} cannot be started: {error.strerror}")
    try:
        said, _ = child.communicate(timeout=LOOK_S)
    except subprocess.TimeoutExpired:
        _give_up(child)
        return Listing(fault=f"{program!r} did not say within {LOOK_S:.0f} s which DeckLink inputs there are")
    return listing_of(program, said[:_MOST_LISTED].decode(errors="replace"))


def _give_up(child: "subprocess.Popen[bytes]") -> None:
    """Kills it, and does not wait for ever: one that hangs in its driver goes when the driver lets it."""
    child.kill()
    try:
        child.wait(_END_S)
    except subprocess.TimeoutExpired:
        log.exception("process %d, which lists a card's inputs, does not go, not even killed", child.pid)
    if child.stdout is not None:
        child.stdout.close()


class CardProcess:
    """Started at once. ``heard`` is called with each line that it says, on a thread of its own.

    What it sends is read from ``descriptor``: a socket, for a read that waits on it is ended by ``end`` even where the
    program hangs in its driver and cannot be killed.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], heard: Callable[[str], None]) -> None:
        """Raises OSError."""
        self._heard = heard
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._began = time.monotonic()
        self._ours, theirs = socket.socketpair()
        try:
            self._child = subprocess.Popen(  # noqa: S603 - as above
                list(arguments), env=own_environment(environment), stdin=subprocess.DEVNULL,
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
            )  # fmt: skip
        except BaseException:
            self._ours.close()
            raise
        finally:
            theirs.close()
        self._listening = threading.Thread(target=self._listen, name="card program", daemon=True)
        self._listening.start()

    @property
    def descriptor(self) -> int:
        return self._ours.fileno()

    @property
    def is_ahead(self) -> bool:
        """It sent something that nobody has read yet."""
        try:
            return bool(self._ours.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError:
            return False  # nothing is there, or the socket is over

    def cut(self) -> None:
        """Kills it, and lets a read that waits come back. From any thread, any number of times."""
        self._child.kill()
        try:
            self._ours.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was cut before

    def end(self) -> tuple[list[str], int | None, float]:
        """What it said last, its exit code, None where it was killed or does not go, and how many seconds it ran."""
        lasted = time.monotonic() - self._began
        try:
            # What it sent is over; how it ends belongs to why.
            code = self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            code = None
        self.cut()
        try:
            self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            log.exception("process %d, which captures from a card, does not go, not even killed", self._child.pid)
        self._listening.join(_END_S)
        self._ours.close()
        return list(self._lines), code, lasted

    def _listen(self) -> None:
        told = self._child.stderr
        assert told is not None
        with told:
            while line := told.readline(_LINE_BYTES):
                text = line.decode(errors="replace").strip()
                self._lines.append(text)
                self._heard(text)
