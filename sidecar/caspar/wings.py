"""Live inputs on a server: opened unseen and unheard on layers beside the programme's, watched, and swapped on air.

``SWAP`` exchanges what two layers hold and leaves their MIXER values where they are (``core/producer/stage.cpp``,
``swap_layer``): so what was opened with OPACITY and VOLUME 0 is seen and heard once it is on the programme's layer.
That pictures come is known from INFO alone, by the position that moves (``av_producer.cpp``: it stands where none do).
A connection that broke is not made again by the server, and one that is refused looks like one that takes its time:
what gives nothing for a while is cleared away and opened anew.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from sidecar.caspar.addresses import live_parameters, told_address
from sidecar.caspar.connection import NoReplyError, ServerAwayError
from sidecar.caspar.info import ChannelInfo, Layer, Side
from sidecar.caspar.link import Link
from sidecar.engine.pacing import NS
from sidecar.protocol.channel import CasparServer
from sidecar.protocol.live_url import LiveAddress, parse_live_url
from sidecar.rundown.model import Airing, SourceView, Supply

log = logging.getLogger(__name__)

WINGS: Final = 4
"""Layers beside the programme's, from its own plus ``_FIRST`` on: what airs and was lost, what comes, and filler's."""
_FIRST: Final = 2
_HELD_NS: Final = NS * 2 // 5
"""An input that moved within this gives its pictures: it is looked at ten times a second."""
_UNSEEN_NS: Final = NS // 4
"""Between two looks; in more nobody looked, and nothing is said about what was there meanwhile."""
_SETTLES_NS: Final = NS * 3 // 5
"""So long after a command INFO, or the OSC in its place, may not show it yet: a swap done twice would be none."""
_TRUSTED_NS: Final = 3 * NS
"""So long what was seen to come is taken to come while the server cannot be reached."""
_CLOSES_NS: Final = NS
"""The server closes a connection on a thread of its own; before that a port that it listened on is not free."""
_AGAIN_NS: Final = 2 * NS
"""After a command that was refused or not answered."""
_BROKE_NS: Final = 3 * NS
_OPENS_NS: Final = 6 * NS
_PULLS_NS: Final = 12 * NS
"""HLS brings nothing for the length of a segment."""
_UNANSWERED: Final = "the CasparCG server did not answer"
_WAITS_NS: Final = 65 * NS
"""What waits for a sender; the server itself gives up after 60 s (``rw_timeout``)."""


@dataclass(slots=True)
class _Input:
    """One address. ``layer`` is None while it is nowhere. Times are monotonic."""

    address: LiveAddress
    told: str
    layer: int | None = None
    told_ns: int = 0
    """When it was last put somewhere."""
    not_before_ns: int = 0
    position: int | None = None
    moved_ns: int | None = None
    """Since it was opened."""
    has_come: bool = False
    fault: str = ""

    @property
    def patience_ns(self) -> int:
        scheme = self.address.scheme
        if scheme == "udp" or (self.address.listens and self.moved_ns is None):
            return _WAITS_NS
        if scheme in ("http", "https"):
            return _PULLS_NS
        return _OPENS_NS if self.moved_ns is None else _BROKE_NS


class Wings:
    """Owned by the drive's task. ``see`` first in every look, ``keep`` last."""

    def __init__(
        self, server: CasparServer, link: Link, monotonic_ns: Callable[[], int],
        may_use: Callable[[CasparServer], bool],
    ) -> None:  # fmt: skip
        """``may_use`` is asked for a layer before anything is put on it."""
        self._own = server.layer
        self._channel = server.channel
        self._places = {
            layer: replace(server, layer=layer, program="")
            for layer in range(server.layer + _FIRST, server.layer + _FIRST + WINGS)
        }
        self._is_ours = bool(server.program)
        self._link = link
        self._now = monotonic_ns
        self._may_use = may_use
        self._inputs: dict[LiveAddress, _Input] = {}
        self._used: set[int] = set()
        self._busy_until: dict[int, int] = {}
        """Layers that were told something just now."""
        self._seen_ns = monotonic_ns()

    def view(self, airing: Airing) -> SourceView:
        """What the input could give now, as far as one knows."""
        try:
            address = parse_live_url(airing.item.url or "")
            told_address(address)
        except ValueError as error:
            return SourceView(Supply.FAILED, str(error))
        there = self._inputs.get(address)
        if there is None:
            return SourceView(Supply.OPENING)
        if self._gives(there):
            return SourceView(Supply.READY)
        nothing = "no picture comes any more" if there.has_come else "no picture has come yet"
        why = there.fault or f"{nothing}: {address.shown}"
        return SourceView(Supply.DRY if there.has_come else Supply.OPENING, why)

    def told(self, airing: Airing) -> str:
        """As INFO tells it; empty for what cannot be told."""
        try:
            return told_address(parse_live_url(airing.item.url or ""))
        except ValueError:
            return ""

    def _gives(self, there: _Input) -> bool:
        """With the last look: what happens while nobody can look is not known."""
        is_near = self._now() - self._seen_ns <= _TRUSTED_NS
        is_told = there.layer == self._own or (there.layer is not None and is_near)
        return is_told and there.moved_ns is not None and self._seen_ns - there.moved_ns <= _HELD_NS

    # --- looking ----------------------------------------------------------------------------------------------------

    def see(self, info: ChannelInfo | None) -> None:
        """``None``: the server says nothing now."""
        if info is None:
            return
        now = self._now()
        unseen = now - self._seen_ns if now - self._seen_ns > _UNSEEN_NS else 0
        self._seen_ns = now
        for there in self._inputs.values():
            there.moved_ns = None if there.moved_ns is None else there.moved_ns + unseen
            if now - there.told_ns >= _SETTLES_NS:
                self._find(there, info)
            side = None if there.layer is None else _front(info.layers.get(there.layer))
            if side is not None and side.path == there.told:
                self._watch(there, side, now)

    def _find(self, there: _Input, info: ChannelInfo) -> None:
        """Where it is in truth: a command that nobody answered may have been done or not, and a sidecar on another node
        may have opened it."""
        layers = [layer for layer in (there.layer, self._own, *self._places) if layer is not None]
        shows = [layer for layer in layers if _front(info.layers.get(layer)).path == there.told]
        found = next((layer for layer in shows if layer == self._own or self._is_free_to_use(layer)), None)
        if found is not None and found in self._places:
            self._used.add(found)
        if found is None and there.layer is not None:
            self._is_gone(there)
        there.layer = found

    def _is_gone(self, there: _Input) -> None:
        there.layer, there.position, there.moved_ns = None, None, None
        there.not_before_ns = self._now() + _CLOSES_NS

    def _watch(self, there: _Input, side: Side, now: int) -> None:
        if side.paused:
            there.moved_ns = now  # by us, and it goes on with the next picture
        elif side.producer == "ffmpeg" and side.position is not None and side.position != there.position:
            if there.position is not None:
                there.moved_ns, there.has_come, there.fault = now, True, ""
            there.position = side.position

    def adopt(self, airing: Airing) -> None:
        """It was found on the programme's layer, from a run before."""
        there = self._input(airing)
        if there is not None:
            there.layer, there.told_ns, there.moved_ns, there.has_come = self._own, self._now(), self._now(), True

    # --- what the server is told ------------------------------------------------------------------------------------

    async def swap(self, airing: Airing) -> bool:
        """Puts it on the programme's layer. False: it was not, and is to be tried again."""
        there = self._input(airing)
        if there is None or there.layer is None:
            return False
        if there.layer == self._own:
            return True
        wing, now = there.layer, self._now()
        if now < self._busy_until.get(self._own, 0):
            return False  # done twice it would be undone, and INFO may not show yet that it was done
        self._busy_until[wing] = self._busy_until[self._own] = now + _SETTLES_NS
        is_blind = (
            now - self._seen_ns > _UNSEEN_NS
        )  # then the list goes on by time, and what is seen later puts it right
        command = f"SWAP {self._channel}-{wing} {self._channel}-{self._own}"
        said = await self._do(command, unsure="" if is_blind else _UNANSWERED)
        if said:
            log.warning("a live input cannot be put on air: %s", said)
            return False
        there.layer, there.told_ns = self._own, self._now()
        return True

    async def keep(self, wanted: Sequence[Airing], info: ChannelInfo | None, on_air: str) -> None:
        """Opens what is wanted, the most urgent first, and clears away what is not. ``on_air``: what the programme's
        layer is to show of a live input, as ``told``; empty where that shows something else."""
        if info is None or not self._link.is_up:
            return
        inputs = [there for airing in wanted if (there := self._input(airing)) is not None]
        inputs = list({there.told: there for there in inputs}.values())[:WINGS]
        kept = {there.told for there in inputs}
        self._inputs = {address: there for address, there in self._inputs.items() if there.told in kept}
        now = self._now()
        for there in inputs:
            if there.layer == self._own and there.told != on_air:
                self._is_gone(there)
            elif there.layer in self._places and now - max(there.told_ns, there.moved_ns or 0) >= there.patience_ns:
                there.fault = there.fault or f"nothing comes of it, it is connected again: {there.address.shown}"
                self._is_gone(there)
        await self._tidy(info)
        for there in inputs:
            if there.layer is None and self._now() >= there.not_before_ns:
                self._find(there, info)
            if there.layer is None and self._now() >= there.not_before_ns:
                wing = self._free(info)
                if wing is not None:
                    await self._open(there, wing)

    async def clear(self) -> bool:
        """Whether the server confirmed that nothing of ours is left there."""
        self._inputs.clear()
        for layer in sorted(self._used):
            if await self._clear(layer):
                return False
            if await self._do(f"MIXER {self._channel}-{layer} CLEAR"):
                return False
            self._used.discard(layer)
        return True

    def _input(self, airing: Airing) -> _Input | None:
        try:
            address = parse_live_url(airing.item.url or "")
            return self._inputs.setdefault(address, _Input(address, told_address(address)))
        except ValueError:
            return None

    async def _tidy(self, info: ChannelInfo) -> None:
        """What was swapped off the air, what is not wanted any more, and what a run before left."""
        for layer in self._places:
            is_empty = _is_empty(info.layers.get(layer))
            is_wanted = any(there.layer == layer for there in self._inputs.values())
            is_known = layer in self._used or self._is_ours
            if is_known and not is_empty and not is_wanted and self._now() >= self._busy_until.get(layer, 0):
                self._busy_until[layer] = self._now() + _SETTLES_NS
                await self._clear(layer)

    def _free(self, info: ChannelInfo) -> int | None:
        for layer in self._places:
            is_taken = any(there.layer == layer for there in self._inputs.values())
            if is_taken or not _is_empty(info.layers.get(layer)) or self._now() < self._busy_until.get(layer, 0):
                continue
            if self._is_free_to_use(layer):
                return layer
        return None

    def _is_free_to_use(self, layer: int) -> bool:
        return layer in self._used or self._is_ours or self._may_use(self._places[layer])

    async def _open(self, there: _Input, layer: int) -> None:
        """Unseen and unheard before it can give anything."""
        self._used.add(layer)
        place = f"{self._channel}-{layer}"
        for command in (f"MIXER {place} OPACITY 0", f"MIXER {place} VOLUME 0"):
            said = await self._do(command)
            if said:
                self._was_refused(there, said)
                return
        there.layer, there.position, there.moved_ns, there.told_ns = layer, None, None, self._now()
        self._busy_until[layer] = self._now() + _SETTLES_NS
        said = await self._do(f"PLAY {place} {live_parameters(there.told)}", unsure="")
        if said:
            there.layer = None
            self._was_refused(there, said)

    def _was_refused(self, there: _Input, said: str) -> None:
        there.fault = f"{said}: {there.address.shown}"
        there.not_before_ns = self._now() + _AGAIN_NS
        log.warning("a live input cannot be opened: %s", there.fault)

    async def _clear(self, layer: int) -> str:
        return await self._do(f"CLEAR {self._channel}-{layer}")

    async def _do(self, command: str, unsure: str = _UNANSWERED) -> str:
        """What went wrong, empty where nothing did; ``unsure``: what is said where nobody knows. Never the command,
        which may hold a passphrase."""
        try:
            reply = await self._link.ask(command)
        except NoReplyError:
            return unsure
        except ServerAwayError:
            return "the CasparCG server is away"
        return "" if reply.ok else f"the CasparCG server refused it, {reply.code} {reply.words}"


def _front(layer: Layer | None) -> Side:
    return Side() if layer is None else layer.foreground


def _is_empty(layer: Layer | None) -> bool:
    return layer is None or (layer.foreground.producer == "empty" and layer.background.producer == "empty")
