"""Keeps a server's layer showing what the rundown says: looks, lets the rundown run on what it saw, corrects.

One step is one look. The rundown follows the server where the server goes on by itself (AUTO), and the server follows
the rundown everywhere else: a cut that somebody ordered is played first and counted when INFO shows it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from sidecar.caspar.adopting import clip_found, live_found
from sidecar.caspar.amcp import UnwritableTextError
from sidecar.caspar.connection import CommandFailedError, NoReplyError, ServerAwayError
from sidecar.caspar.deck import Deck, Loaded, Reading, Sight
from sidecar.caspar.info import ChannelInfo, Layer
from sidecar.caspar.judging import NOT_YET, Judge
from sidecar.caspar.link import Link
from sidecar.caspar.loading import LayerCommands, ticks_a_frame
from sidecar.caspar.names import ClipNames
from sidecar.caspar.ticking import Record, Ticking, Watch, nobody_watches
from sidecar.caspar.wings import Wings
from sidecar.engine.command_queue import CommandQueue
from sidecar.engine.entrance import Entrance
from sidecar.engine.pacing import PlayoutTime
from sidecar.protocol.channel import CasparServer, ResumePoint
from sidecar.rundown.clock import RundownClock
from sidecar.rundown.model import Airing, Shown
from sidecar.rundown.rate import due_ns

log = logging.getLogger(__name__)

POLL_NS: Final = 100_000_000
_MUTED_NS: Final = 50_000_000
ORDER_S: Final = 10
"""An ordered cut is tried for so long while the server's queue is full."""
_TOLD_NS: Final = 200_000_000
"""So long after a PLAY that nobody answered, what the server shows says that it was not done."""


@dataclass(frozen=True, slots=True)
class Begins:
    """An arm, on its way to the first frame."""

    entrance: Entrance | None


class Drive:
    """Owned by one task. ``step`` looks once and says when to look again."""

    def __init__(
        self,
        server: CasparServer,
        rundown: RundownClock,
        rate: Fraction,
        *,
        link: Link,
        commands: CommandQueue,
        record: Record,
        time: PlayoutTime,
        card: str = "",
        watch: Watch = nobody_watches,
        may_use: Callable[[CasparServer], bool] = lambda _: True,
    ) -> None:
        """``card``: the slate's picture as a file that the server may be able to read; empty: a colour. ``watch`` is
        told of every frame. ``may_use`` is asked before anything is put on a layer beside the channel's own."""
        self.rundown = rundown
        self.deck = Deck()
        self._wings = Wings(server, link, time.monotonic_ns, may_use)
        self.ticking = Ticking(rundown, self.deck, rate, record, watch, self._wings.view)
        self.health = NOT_YET
        self.info: ChannelInfo | None = None
        self.is_on_air = False
        self._server = server
        self._rate = rate
        self._link = link
        self._layer = LayerCommands(server.channel, server.layer, rate)
        self._commands = commands
        self._time = time
        self._card = card
        self._begins: Begins | None = None
        self._is_answered = self._is_refused = False
        self._judgement = Judge()
        self._paused = False
        self._told_ns = 0
        self._waits = False

    @property
    def names(self) -> ClipNames:
        """How the server is told of files, as it was known with the last look."""
        return self._layer.names

    def arm(self, entrance: Entrance | None) -> None:
        """With the next step."""
        self._begins = Begins(entrance)

    async def step(self) -> int:
        """Monotonic nanoseconds at which the next is due."""
        await self._link.keep()
        self.info = await self._link.look(self._server.channel) if self._link.is_up else None
        self._is_answered = self._link.is_up and not self._link.is_silent
        if self.info is None and not self._link.known.fault:
            self.info = self._link.heard()  # it may be that only its commands hang
        self.ticking.was_there |= self._link.is_up
        now_ns = self._time.monotonic_ns()
        layer = self._look(self.info)
        self.ticking.is_refused = self._is_refused
        if not self.is_on_air:
            self._be_muted(layer, now_ns)
            if not self.is_on_air:
                self._judge(now_ns)
                return now_ns + _MUTED_NS
        self._wings.see(self.info)
        reading = None if self.info is None else self.deck.read(layer, self._layer.per_frame)
        before, ordered = self.rundown.frame, self.rundown.ordered
        self.ticking.replay(reading, now_ns, self._time.wall_ns())
        self._paused = self._paused if reading is None else reading.paused
        self._commands.apply(self.rundown)
        if self._commands.is_shown_soon and self.rundown.ordered is None:
            self.ticking.tick("confirmed" if reading is not None else "inferred")
        await self._enact(reading)
        if self.rundown.ordered is None and self.rundown.frame > before:
            on_air = self.rundown.on_air
            began = -1 if on_air is None else on_air.started_frame
            if ordered is not None and (on_air is None or on_air.airing is not ordered):
                self._commands.refuse(ordered, self.ticking.why_not(ordered))
            self._commands.shown(began if began >= before else self.rundown.frame - 1)
            self._commands.tell()  # what is done yet in this step asks the server, and takes its time
        if reading is not None:
            await self._adjust()
        if not self._is_refused and (reading is None or reading.sight not in (Sight.BLANK, Sight.FOREIGN)):
            await self._cue(is_seen=reading is not None)
        await self._keep_lives()
        self._judge(now_ns)
        return self._next_look(now_ns, reading)

    def leave(self, by: str) -> None:
        """The air: nothing is counted any more. What plays on the layer plays on until ``clear``."""
        if self.is_on_air:
            self.ticking.stop(by, "confirmed" if self.info is not None else "inferred")
        self.is_on_air = False

    async def clear(self) -> bool:
        """Whether the server confirmed that the layer is empty, whoever filled it: a run before this one may have."""
        await self._link.keep()
        return self._link.is_up and not await self._link.tried(self._layer.clear()) and await self._wings.clear()

    # --- before the air ---------------------------------------------------------------------------------------------

    def _be_muted(self, layer: Layer | None, now_ns: int) -> None:
        self._commands.apply(self.rundown)
        self.rundown.prepare(self.ticking.view, self._time.wall_ns())
        self.rundown.wanted()
        begins = self._begins
        if begins is not None:
            self._enter(begins.entrance, layer)
            self.ticking.begin(now_ns)
            self.is_on_air = True

    def _enter(self, entrance: Entrance | None, layer: Layer | None) -> None:
        """The place in the list; what plays there already, from a run before, plays on."""
        rundown = self.rundown
        if entrance is not None:
            target = entrance.target(rundown.playlist, self._rate, self._time.wall_ns())
            rundown.begin_with(target or entrance.point)
        first = rundown.first
        if first is None or layer is None:
            return
        if first.item.kind == "live" and live_found(told := self._wings.told(first), layer.foreground):
            log.info("the live input that is due is on air already; it is left there")
            self._wings.adopt(first)
            self.deck.front = Loaded(first, told, alive=True, live=True)
        found = clip_found(first, layer.foreground, self._layer, self._rate)
        if found is None:
            return
        position, begin = found
        rundown.begin_with(ResumePoint(first.item.id, max(0, position - begin)))
        first = rundown.first
        if first is not None:
            path, side = first.item.path or "", layer.foreground
            log.info("%s plays already, from frame %d on; it is left to play", path, position)
            length = None if side.clip_length is None else side.clip_length // self._layer.per_frame
            self.deck.front = Loaded(first, path, position, begin, length, alive=True)

    # --- looking ----------------------------------------------------------------------------------------------------

    def _look(self, info: ChannelInfo | None) -> Layer | None:
        """Our layer. A server whose channel runs at another rate, or that is too old, is told nothing."""
        if info is None:
            self._is_refused |= bool(self._link.known.fault)
            return None
        self._is_refused = True
        ticks = ticks_a_frame(info.rate, self._rate)
        if self._server.mode and info.format.casefold() != self._server.mode.casefold():
            self._link.fault = (
                f"the server's channel {self._server.channel} is {info.format}, and {self._server.mode} is what this "
                "channel was told of it: set one of the two"
            )
            self.info = None
            return None
        if ticks is None:
            self._link.fault = (
                f"the server's channel {self._server.channel} is {info.format} at {info.rate} a second, this channel "
                f"at {self._rate}: give both the same format"
            )
            self.info = None
            return None
        self._is_refused = False
        self._layer.per_frame = ticks
        link = self._link
        self._layer.names = ClipNames(self._server.media, not link.known.takes_whole_paths, link.its_media)
        return info.layers.get(self._server.layer)

    def _judge(self, now_ns: int) -> None:
        stalled = self.ticking.stalled_since_ns
        self.health = self._judgement.judge(
            self._link, self.info, now_ns, is_answered=self._is_answered, stalled_since_ns=stalled
        )

    def _next_look(self, now_ns: int, reading: Reading | None) -> int:
        """Soon after the next thing that is to happen."""
        frame_ns = due_ns(1, self._rate)
        if self._waits or self._wanted is not None or (reading is not None and reading.sight is Sight.OPENING):
            return now_ns + frame_ns
        coming = self.rundown.next_item(self.ticking.view)
        left = None if coming is None else coming.in_frames_left
        on_air = self.rundown.on_air
        if left is None and on_air is not None and on_air.duration is not None and on_air.duration > on_air.position:
            left = on_air.duration - on_air.position
        if left is None:
            return now_ns + POLL_NS
        due = self.ticking.due(self.rundown.frame + max(0, left))
        return max(now_ns + frame_ns // 2, min(now_ns + POLL_NS, due))

    @property
    def _wanted(self) -> Airing | None:
        """What is to be told to the server, and begins when it shows it."""
        return self.rundown.ordered or self.rundown.due

    # --- correcting -------------------------------------------------------------------------------------------------

    async def _enact(self, reading: Reading | None) -> None:
        """Makes the layer show what the rundown's last frame says."""
        self._waits = False
        if self._is_refused:
            return
        shown, front = self.ticking.last, self.deck.front
        wanted = self._wanted
        if wanted is not None:
            is_told = front is not None and front.airing is wanted and not self._is_lost(reading)
            if not is_told and not self.ticking.has_failed(wanted):
                await self._play(wanted, wanted.first_frame, 0)
            return
        if shown is None:
            return
        is_lost = reading is not None and reading.sight in (Sight.BLANK, Sight.FOREIGN)
        if shown.action == "slate":
            if front is None or front.airing is not None or is_lost:
                await self._show_card()
        elif shown.airing is None:
            if front is not None and front.live:  # its last picture would move again with it, and its connection stay
                await self._show_card()
        elif shown.action == "source" or shown.late:
            await self._show_source(shown, shown.airing, is_lost=is_lost)
        elif is_lost or front is None or front.airing is not shown.airing:
            await self._stand_on(shown.airing, shown.position)
        elif (shown.picture == "freeze" or front.live) and not self._paused:
            self._paused = not await self._link.tried(self._layer.pause())

    def _is_lost(self, reading: Reading | None) -> bool:
        """What was told shows nothing, and something else, or nothing at all, is on the layer."""
        front = self.deck.front
        if reading is None or front is None or front.alive or reading.sight not in (Sight.BLANK, Sight.FOREIGN):
            return False
        return self._time.monotonic_ns() - self._told_ns >= _TOLD_NS

    async def _show_source(self, shown: Shown, airing: Airing, *, is_lost: bool) -> None:
        front = self.deck.front
        if front is None or front.airing is not airing or is_lost:
            if not self.ticking.has_failed(airing) and (shown.action == "source" or is_lost):
                await self._play(airing, shown.position, 1)
        elif self._paused:
            self._paused = bool(await self._link.tried(self._layer.resume()))

    async def _play(self, airing: Airing, position: int, played: int) -> None:
        """``played``: 1 where the frame at ``position`` is one that the rundown has counted."""
        self._waits = True
        if airing.item.kind == "live":
            await self._go_live(airing)
            return
        try:
            loaded = self._layer.loaded(airing, position, played)
        except (UnwritableTextError, ValueError) as error:
            self.ticking.fail(airing, str(error))
            return
        back = self.deck.back if self.info is not None and self.deck.back_is_seen else None
        is_cued = back is not None and back.airing is airing and back.start == loaded.start
        command = self._layer.play_cued() if is_cued else self._layer.play(loaded)
        if await self._is_done(command, airing):
            self.deck.took(loaded)
            self._told_ns = self._time.monotonic_ns()

    async def _go_live(self, airing: Airing) -> None:
        is_there = await self._wings.swap(airing)
        if is_there and (self.deck.front is None or self.deck.front.airing is not airing):
            self.deck.took(Loaded(airing, self._wings.told(airing), live=True))
            self._told_ns = self._time.monotonic_ns()

    async def _keep_lives(self) -> None:
        front = self.deck.front
        wanted = [airing for airing in self.rundown.wanted() if airing.item.kind == "live"]
        await self._wings.keep(wanted, self.info, front.path if front is not None and front.live else "")

    async def _is_done(self, command: str, airing: Airing) -> bool:
        """Also where nobody knows: then what INFO shows says it."""
        try:
            await self._link.do(command)
        except CommandFailedError as error:
            if error.code >= 500:  # its queue is full, or the layer is locked: that passes
                log.warning("%s", error)
                if self.ticking.refuses_since_ns is None:
                    self.ticking.refuses_since_ns = self._time.monotonic_ns()
                self.rundown.bear_with_order(ORDER_S)
                return False
            why = "the server does not find it" if error.code == 404 else "the server refused it"
            self.ticking.fail(airing, f"{why}: {error}")
            return False
        except (NoReplyError, ServerAwayError) as error:
            log.warning("%s", error)
        self.ticking.refuses_since_ns = None
        return True

    async def _show_card(self) -> None:
        if self._card and await self._link.tried(self._layer.card(self._card)):
            self._card = "" if self._link.is_up else self._card  # it cannot read the picture
        elif self._card:
            self.deck.took(Loaded(None, self._card))
            return
        await self._link.tried(self._layer.card(""))
        self.deck.took(Loaded(None, ""))

    async def _stand_on(self, airing: Airing, position: int) -> None:
        """A held last picture, put back; a live input's is gone for good."""
        if airing.item.kind == "live":
            if self.deck.front is None or self.deck.front.airing is not None:
                await self._show_card()
            return
        try:
            loaded = self._layer.loaded(airing, max(0, position), 1)
        except (UnwritableTextError, ValueError):
            return
        if not await self._link.tried(self._layer.load(loaded)):
            self.deck.took(loaded)

    async def _adjust(self) -> None:
        """An operator made the item on air longer or shorter."""
        on_air, front = self.rundown.on_air, self.deck.front
        if on_air is None or front is None or front.airing is not on_air.airing or on_air.duration is None:
            return
        if not front.alive or front.over or front.live:
            return
        end = front.first + on_air.duration
        wanted = on_air.duration if front.file_end is None else min(end, front.file_end) - front.first
        if wanted != front.length and wanted > 0 and not await self._link.tried(self._layer.length(wanted)):
            front.length = wanted

    async def _cue(self, *, is_seen: bool) -> None:
        """Keeps what comes next behind the foreground, to follow by itself where it is to, and where that can be seen.
        Where nothing is seen it is told all the same: so a file that is not there is known of."""
        if self._wanted is not None or self._waits:
            return
        follower, back = self.rundown.follower, self.deck.back
        if follower is None:
            if self.deck.back_follows and not await self._link.tried(self._layer.cue_nothing()):
                self.deck.cued(None, follows=False)
            return
        if self.ticking.has_failed(follower.airing):
            return
        # Behind a live input AUTO never comes, or whenever the server takes it to be over.
        by_itself = follower.by_itself and not (self.deck.front is not None and self.deck.front.live)
        is_there, follows = back is not None and back.airing is follower.airing, self.deck.back_follows
        if is_there and (follows == by_itself or (not is_seen and not follows)):
            return
        await self._load_behind(follower.airing, follows=by_itself and is_seen)

    async def _load_behind(self, airing: Airing, *, follows: bool) -> None:
        try:
            loaded = self._layer.loaded(airing, airing.first_frame, 0)
        except (UnwritableTextError, ValueError) as error:
            self.ticking.fail(airing, str(error))
            return
        try:
            await self._link.do(self._layer.cue(loaded, follows=follows))
        except CommandFailedError as error:
            log.warning("%s", error)
            if error.code == 404:
                self.ticking.fail(airing, f"the server does not find it: {error}")
            return
        except (NoReplyError, ServerAwayError) as error:
            log.warning("%s", error)  # it may have been done: what INFO shows says whether it followed
        self.deck.cued(loaded, follows=follows)
