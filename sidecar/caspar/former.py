"""Where the channel was played before: a server that its setting no longer names plays on until it is told.

Which layers a channel has played on is kept on the node's disk, from before the first command until the server has
confirmed that they are empty. So a sidecar that was killed, and whose follower is told of another server, leaves
nothing on air behind.
"""

import asyncio
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from sidecar.caspar.link import Link
from sidecar.caspar.minder import kept_process, tell
from sidecar.caspar.outputs import end_ports
from sidecar.protocol.channel import CasparServer

log = logging.getLogger(__name__)

_MOST: Final = 16
_AGAIN_S: Final = 1.0
_PATIENCE: Final = 3
"""So many tries to end a process in peace."""


class _Kept(msgspec.Struct, frozen=True):
    places: tuple[CasparServer, ...] = ()
    logos: tuple[CasparServer, ...] = ()


@dataclass(slots=True)
class _Old:
    place: CasparServer
    link: Link
    is_logo: bool = False
    tries: int = 0


class Former:
    """``run`` is a task of its own until ``is_done``."""

    def __init__(
        self, folder: Path, now: CasparServer, monotonic_ns: Callable[[], int], reply_s: float = 0.5,
        logo: CasparServer | None = None,
    ) -> None:  # fmt: skip
        """``logo``: the layer on which the channel's logo is to be, None where it has none."""
        self._file = folder / "played-on.json"
        self._folder = folder
        self._now = now
        kept = _read(self._file)
        self._old = [
            _Old(place, Link(place.host, place.port, monotonic_ns, reply_s=reply_s))
            for place in kept.places
            if _layer_of(place) != _layer_of(now) or (place.program and not now.program)
        ]
        self._old += [
            _Old(place, Link(place.host, place.port, monotonic_ns, reply_s=reply_s), is_logo=True)
            for place in kept.logos
            if logo is None or _layer_of(place) != _layer_of(logo)
        ]
        self._logos = [] if logo is None else [logo]
        self._write()

    def may_use(self, place: CasparServer) -> bool:
        """The channel's logo, or a live input, is to be put on that layer, which is kept; False while what was there
        before is taken off it."""
        if any(_layer_of(old.place) == _layer_of(place) for old in self._old):
            return False
        if place not in self._logos:
            self._logos.append(place)
            self._write()
        return True

    @property
    def is_done(self) -> bool:
        return not self._old

    @property
    def fault(self) -> str:
        """What may still play elsewhere; empty where nothing does."""
        if not self._old:
            return ""
        place = self._old[0].place
        return (
            f"this channel was played by the CasparCG server at {place.host} port {place.port}, channel "
            f"{place.channel} layer {place.layer}, which has not confirmed its end and may play on"
        )

    async def run(self) -> None:
        while self._old:
            for old in list(self._old):
                if await self._end(old):
                    self._old.remove(old)
                    await old.link.close()
                    self._write()
                    log.info("what played at %s port %d before is ended", old.place.host, old.place.port)
            if self._old:
                await asyncio.sleep(_AGAIN_S)

    def forget(self) -> None:
        """The channel is stopped, and its server confirmed it."""
        if self.is_done:
            self._file.unlink(missing_ok=True)

    async def close(self) -> None:
        for old in self._old:
            await old.link.close()

    async def _end(self, old: _Old) -> bool:
        place, link = old.place, old.link
        old.tries += 1
        if place.program:
            process = kept_process(self._folder)
            if self._now.program or process is None:
                return True  # who starts the one of now ends this one
            tell(process, signal.SIGTERM if old.tries <= _PATIENCE else signal.SIGKILL)
            return not process.is_alive
        await link.keep()
        await link.settled()
        await link.keep()
        if not link.is_up or await link.tried(f"CLEAR {place.channel}-{place.layer}"):
            return False
        if old.is_logo and await link.tried(f"MIXER {place.channel}-{place.layer} CLEAR"):
            return False
        is_ours = _channel_of(place) == _channel_of(self._now)  # then its outputs are those of now
        return is_ours or await end_ports(link, place.channel)

    def _write(self) -> None:
        places = (self._now, *(old.place for old in self._old if not old.is_logo))[:_MOST]
        logos = (*self._logos, *(old.place for old in self._old if old.is_logo))[:_MOST]
        aside = self._file.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(msgspec.json.encode(_Kept(places, logos)))
            aside.replace(self._file)
        except OSError as error:
            log.warning("where the channel is played cannot be kept on disk: %s", error)


def _read(file: Path) -> _Kept:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return _Kept()


def _channel_of(place: CasparServer) -> tuple[str, int, int]:
    return place.host.casefold(), place.port, place.channel


def _layer_of(place: CasparServer) -> tuple[str, int, int, int]:
    return (*_channel_of(place), place.layer)
