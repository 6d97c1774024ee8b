"""Minds a channel's outputs on the server: adds them, sees that they are there and move, and adds them again.

An ADD that answers 202 proves nothing: the server opens later, and what cannot be opened is gone without a word. An
output counts as up once its port is in INFO and its frames move.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sidecar.caspar.amcp import UnwritableTextError
from sidecar.caspar.connection import NoReplyError, ServerAwayError
from sidecar.caspar.consumers import FIRST_PORT, PREVIEW_PORT, Consumer, Places, consumer_of
from sidecar.caspar.info import ChannelInfo, Port
from sidecar.caspar.link import Link
from sidecar.outputs.interface import LeaseLeft, not_leased
from sidecar.protocol.caspar_modes import FieldOrder, mode_named
from sidecar.protocol.channel import Output, SidecarDocument
from sidecar.protocol.fencing import fencing_of
from sidecar.protocol.outputs import outputs_digest
from sidecar.protocol.status import OutputState, OutputStatus

log = logging.getLogger(__name__)

_NS: Final = 1_000_000_000
OPENS_NS: Final = 2 * _NS
"""An output whose port is not there by then could not be opened."""
STALLS_NS: Final = 2 * _NS
DEAD_NS: Final = 8 * _NS
"""One whose frames stand for so long, while the channel's move, is added anew."""
MOST_BACKOFF_NS: Final = 10 * _NS
_SETTLES_NS: Final = 3 * _NS // 2
"""Between the end of a card's output and the next: the server lets go of it some time after it answered."""
_PREVIEW: Final = Output(id="preview", kind="hls", role="preview")
_REFUSALS: Final = {
    403: "the server refused it: there is no such card, or the card has not the channel's format",
    404: "the server has no such output: its module or the driver's library may be missing",
    501: "the server could not enable it: the card is in use",
}


@dataclass(slots=True)
class _Minded:
    """``since_ns``: when it was added; ``moved_ns``: when its frames moved last."""

    output: Output
    port: int
    consumer: Consumer | None = None
    state: OutputState = "starting"
    detail: str = ""
    is_added: bool = False
    since_ns: int = 0
    moved_ns: int = 0
    next_try_ns: int = 0
    tries: int = 0
    frame: int | None = None
    sent: int = 0
    segments: int = 0
    first_segments: set[str] = field(default_factory=set[str])


class Outputs:
    """Owned by the task that steps the drive; statuses may be read by anyone."""

    def __init__(
        self, document: SidecarDocument, link: Link, channel: int, places: Places, lease_left: LeaseLeft = not_leased
    ) -> None:
        """``lease_left``: outputs that need a lease are only added under one, and one that stops with it is ended."""
        self._document = document
        self._lease_left = lease_left
        self._link = link
        self._channel = channel
        self._places = places
        self._ghosts: dict[int, int | None] = {}
        """Ports that were removed and are listed on all the same, as the server's last one is, and at which frame."""
        self._order: FieldOrder = "progressive"
        self.outputs = document.outputs
        self.digest = outputs_digest(document.outputs)
        wanted = list(document.outputs)
        if not any(output.role == "preview" for output in wanted):
            wanted.append(_PREVIEW)
        self._all = [_Minded(output, self._port_of(number, output)) for number, output in enumerate(wanted)]
        self.statuses = self._told()

    def _port_of(self, number: int, output: Output) -> int:
        return PREVIEW_PORT if output.role == "preview" else FIRST_PORT + number

    def replace(self, outputs: Sequence[Output]) -> str:
        """From now on; the same, word for word, is not touched."""
        known = {one.output: one for one in self._all}
        kept = [known[output] for output in outputs if output in known]
        previews = [one for one in self._all if one.output.role == "preview" and one not in kept]
        gone = [one for one in self._all if one not in kept and one not in previews]
        taken = {one.port for one in self._all}
        made: list[_Minded] = []
        for output in outputs:
            if output not in known:
                port = next(number for number in range(FIRST_PORT, PREVIEW_PORT) if number not in taken)
                taken.add(port)
                made.append(_Minded(output, port))
        self._all = [*kept, *made, *previews]
        self.outputs = tuple(outputs)
        self.digest = outputs_digest(outputs)
        self.statuses = self._told()
        return f"{len(outputs)} outputs: {len(made)} opened, {len(gone)} ended"

    async def mind(self, info: ChannelInfo | None, now_ns: int, wall_ns: int, *, moves: bool) -> None:
        """One look. ``moves``: the channel's own time does; else no output's can."""
        for one in self._all:
            one.is_added &= self._may(one)
        if info is not None:
            mode = mode_named(info.format)
            self._order = "progressive" if mode is None else mode.order
        removed: set[int] = set() if info is None else await self._end_unowned(info)
        for one in list(self._all):
            if not any(one is still for still in self._all):
                continue  # replaced while the server was asked
            if info is None:
                one.state, one.detail = "down", self._link.fault or "the CasparCG server does not answer"
            elif not self._may(one):
                one.state, one.detail = "down", "waits for a lease"
                continue
            elif one.is_added:
                self._look(one, info.ports.get(one.port), now_ns, moves=moves)
            if info is not None and not one.is_added and now_ns >= one.next_try_ns:
                there = None if one.port in removed else info.ports.get(one.port)
                await self._add(one, there, now_ns, wall_ns)
        self.statuses = self._told()

    def _may(self, one: _Minded) -> bool:
        fencing = fencing_of(one.output)
        needs = fencing == "lease_stop" or (fencing == "session" and not one.is_added)
        return not needs or self._lease_left() > 0

    async def end(self) -> bool:
        """Whether the server confirmed that every output of ours is gone, those of runs before this one too."""
        return await end_ports(self._link, self._channel)

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _end_unowned(self, info: ChannelInfo) -> set[int]:
        """Removes what is listed in our range and wanted no more, whoever added it, look by look until it is gone."""
        owned = {one.port for one in self._all if self._owns(one)}
        listed = {port: there.frame for port, there in info.ports.items() if FIRST_PORT <= port <= PREVIEW_PORT}
        self._ghosts = {port: at for port, at in self._ghosts.items() if port in listed and port not in owned}
        removed: set[int] = set()
        for port, frame in listed.items():
            if port in owned or (port in self._ghosts and self._ghosts[port] == frame):
                continue
            if await self._remove(port):
                self._ghosts[port] = frame
                removed.add(port)
        return removed

    def _owns(self, one: _Minded) -> bool:
        """What may be listed under its port: its own, what a run before added, and a card, which ``_add`` ends."""
        if one.is_added or one.output.kind == "decklink":
            return True
        return one.tries == 0 and (self._may(one) or fencing_of(one.output) != "lease_stop")

    async def _add(self, one: _Minded, there: Port | None, now_ns: int, wall_ns: int) -> None:
        try:
            consumer = consumer_of(one.output, one.port, self._document, self._places, wall_ns, self._order)
        except (ValueError, UnwritableTextError) as error:
            one.state, one.detail, one.next_try_ns = "down", str(error), now_ns + MOST_BACKOFF_NS
            return
        one.consumer = consumer
        one.since_ns = one.moved_ns = now_ns
        if there is not None and one.tries == 0 and there.path == consumer.address and not consumer.is_card:
            one.is_added, one.frame = True, there.frame  # a run before this one added it, and it goes on
            return
        if there is not None and consumer.is_card:
            if one.tries == 0 and there.consumer == "decklink":
                one.is_added = True
                return
            await self._remove(one.port)
            self._fail(one, now_ns, "it was ended, and is given time to let go of the card", _SETTLES_NS)
            return
        await self._try(one, consumer, now_ns)

    async def _try(self, one: _Minded, consumer: Consumer, now_ns: int) -> None:
        try:
            if consumer.folder is not None:
                consumer.folder.mkdir(parents=True, exist_ok=True)  # the server makes the playlist's folder alone
            reply = await self._link.ask(f"ADD {self._channel}-{one.port} {consumer.add}")
        except NoReplyError:
            one.is_added, one.state, one.frame = True, "starting", None  # perhaps: INFO will show it
            one.detail = "the server did not answer"
            return
        except ServerAwayError:
            self._fail(one, now_ns, "the server did not answer")
            return
        except OSError as error:
            self._fail(one, now_ns, f"its folder cannot be made: {error.strerror}")
            return
        if not reply.ok:
            self._fail(one, now_ns, f"{_REFUSALS.get(reply.code, 'the server refused it')} ({reply.code})")
            return
        one.is_added, one.state, one.frame = True, "starting", None
        one.detail = one.detail if one.tries else ""

    def _look(self, one: _Minded, port: Port | None, now_ns: int, *, moves: bool) -> None:
        if port is None:
            if now_ns - one.since_ns >= OPENS_NS or one.state != "starting":
                self._fail(one, now_ns, "it is not there: the server could not open it, or lost it; its log says why")
            return
        if one.consumer is not None and one.consumer.is_card:
            # A card drives the channel's clock: it shows no frames of its own.
            self._is_up(one, now_ns) if moves else self._stands(one, "the channel's time stands")
            return
        frame = port.frame or 0
        if one.frame is not None and frame != one.frame:
            one.sent += max(0, frame - one.frame)
            one.moved_ns = now_ns
            self._is_up(one, now_ns)
        one.frame = frame
        if not moves:
            one.moved_ns = now_ns
        elif now_ns - one.moved_ns >= DEAD_NS:
            self._fail(one, now_ns, "its frames stand still: whoever received it may be gone")
        elif now_ns - one.moved_ns >= STALLS_NS:
            self._stands(one, "its frames stand still")
        if one.consumer is not None and one.consumer.folder is not None:
            self._count_segments(one, one.consumer.folder)

    def _is_up(self, one: _Minded, now_ns: int) -> None:
        one.state, one.detail = "up", ""
        if now_ns - one.since_ns >= MOST_BACKOFF_NS:
            one.tries = 0

    def _stands(self, one: _Minded, why: str) -> None:
        one.state, one.detail = "stalled", why

    def _fail(self, one: _Minded, now_ns: int, why: str, wait_ns: int | None = None) -> None:
        if one.detail != why:
            log.warning("output %s: %s", one.output.id, why)
        one.is_added, one.frame = False, None
        one.state, one.detail = "down", why
        one.tries += 1
        backoff = min(MOST_BACKOFF_NS, (_NS // 2) << min(one.tries - 1, 5))
        one.next_try_ns = now_ns + (backoff if wait_ns is None else wait_ns)

    def _count_segments(self, one: _Minded, folder: Path) -> None:
        """Whole ones of this epoch, on a disk that both see; the agent moves the link at the first."""
        if one.segments >= 2:
            return
        try:
            one.first_segments |= {entry.name for entry in folder.iterdir() if entry.suffix == ".ts"}
        except OSError:
            return
        one.segments = len(one.first_segments)

    async def _remove(self, port: int) -> bool:
        return await _removed(self._link, self._channel, port)

    def _told(self) -> tuple[OutputStatus, ...]:
        return tuple(
            OutputStatus(
                id=one.output.id,
                kind=one.output.kind,
                role=one.output.role,
                state=one.state,
                detail=one.detail,
                bytes_sent=0,
                frames_sent=one.sent,
                frames_dropped=0,
                segments=one.segments,
                fencing=fencing_of(one.output) if self._document.leased else None,
            )
            for one in self._all
        )


async def end_ports(link: Link, channel: int) -> bool:
    """Whether the server confirmed that no port of our range is left on its channel."""
    info = await link.info(channel) if link.is_up else None
    if info is None:
        return False
    return all([await _removed(link, channel, port) for port in info.ports if FIRST_PORT <= port <= PREVIEW_PORT])


async def _removed(link: Link, channel: int, port: int) -> bool:
    try:
        reply = await link.ask(f"REMOVE {channel}-{port}")
    except (NoReplyError, ServerAwayError):
        return False
    return reply.ok or reply.code == 404
