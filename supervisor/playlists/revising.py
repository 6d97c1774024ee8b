"""A revised list takes the place of what may still be replaced, in one transaction, naming the revision it saw."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from db.errors import StaleRevision
from db.models import Asset, Channel, Item, Playlist
from db.store import Store
from db.transaction import Transaction
from sidecar.rundown.rate import parse_rate
from supervisor.asrun.starts import last_starts
from supervisor.clock import Clock
from supervisor.errors import Invalid, Unavailable
from supervisor.live import LiveBoard
from supervisor.playlists.difference import Difference, OldItem, difference, lock_end
from supervisor.playlists.preparing import ListSource, Prepared, Preparing
from supervisor.playlists.single_changes import single_changes
from supervisor.rundowns import timing_on_air
from supervisor.schemas.channel import ChannelLive
from supervisor.sidecar_lists import sidecar_playlist
from supervisor.threads import Threads

COMPUTE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Revised:
    """``playlist`` is as it is now: with another revision only where something was done."""

    playlist: Playlist
    items: int
    difference: Difference
    prepared: Prepared
    applied: bool


@dataclass(frozen=True, slots=True)
class _OnAir:
    """A channel that plays the playlist now, as it is seen; ``aired``: when items of this run last started."""

    channel: Channel
    live: ChannelLive
    rate: str
    aired: Mapping[str, datetime]


class Revising:
    """``told`` is called with the playlist after every change, for sidecars and consoles."""

    def __init__(
        self, store: Store, clock: Clock, preparing: Preparing, live: LiveBoard, computing: Threads,
        told: Callable[[Playlist], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._preparing = preparing
        self._live = live
        self._computing = computing
        self._told = told

    async def revise(
        self, playlist_id: str, revision: int, source: ListSource, *, lock_s: int, append: bool, dry_run: bool,
        channel: Channel | None = None,
    ) -> Revised:  # fmt: skip
        """What the list changes; done unless ``dry_run``. ``channel``: whose zone and day its times are in, else the
        first that plays the playlist.

        Raises Missing, StaleRevision, Invalid when no line of the list can be used, Forbidden, Unavailable.
        """
        async with self._store.read() as tx:
            row = await _seen(tx, playlist_id, revision)
            players = await tx.channels.list(playlist_id=playlist_id)
        of = channel or (players[0] if players else None)
        prepared = await self._preparing.prepare(source, row.project_id, of)
        if not prepared.items and not prepared.removed:
            raise Invalid(
                "nothing of the list can be played, so it replaces nothing", hint="`refused` says why not.",
                refused=list(prepared.refused[:100]),
            )  # fmt: skip
        if append and prepared.changes_only:
            raise Invalid("this list changes and removes; with --append a list only adds")
        if dry_run:
            async with self._store.read() as tx:
                row = await _seen(tx, playlist_id, revision)
                found = await self._difference(tx, row, prepared, lock_s, append=append)
            return Revised(row, _count(found), found, prepared, applied=False)
        async with self._store.write() as tx:
            row = await _seen(tx, playlist_id, revision)
            found = await self._difference(tx, row, prepared, lock_s, append=append)
            if not found.is_empty:
                row, _ = await tx.playlists.replace(playlist_id, revision, found.entries)
        if not found.is_empty:
            await self._told(row)
        return Revised(row, _count(found), found, prepared, applied=not found.is_empty)

    async def _difference(
        self, tx: Transaction, row: Playlist, new: Prepared, lock_s: int, *, append: bool
    ) -> Difference:
        items = await tx.playlists.items(row.id)
        assets = await tx.assets.of_playlist(row.id)
        on_air = await self._on_air(tx, row)
        now = self._clock.now()

        def computed() -> Difference:
            old = standing(row, items, assets, on_air, now, lock_s)
            until = lock_end(now, lock_s) if on_air else None
            if new.changes_only:
                return single_changes(old, new.items, new.removed, live_until=until)
            return difference(old, new.items, live_until=until, day_ends=new.day_ends, append=append)

        try:
            return await self._computing.run(COMPUTE_S, computed)
        except TimeoutError:
            raise Unavailable(f"the difference was not computed within {COMPUTE_S:.0f} s", retry_after=5) from None

    async def standing_now(
        self, tx: Transaction, row: Playlist, items: Sequence[Item], assets: Mapping[str, Asset], lock_s: int
    ) -> tuple[OldItem, ...]:
        """Each item with why it may not be edited. Raises Unavailable."""
        on_air = await self._on_air(tx, row)
        now = self._clock.now()
        try:
            return await self._computing.run(COMPUTE_S, lambda: standing(row, items, assets, on_air, now, lock_s))
        except TimeoutError:
            raise Unavailable(f"what is locked was not computed within {COMPUTE_S:.0f} s", retry_after=5) from None

    async def _on_air(self, tx: Transaction, row: Playlist) -> list[_OnAir]:
        return [
            await self._seen_now(tx, channel)
            for channel in await tx.channels.list(playlist_id=row.id)
            if channel.desired == "on" or channel.phase != "off"
        ]

    async def _seen_now(self, tx: Transaction, channel: Channel) -> _OnAir:
        aired = await last_starts(tx, channel)
        live = self._live.get(channel.id)
        return _OnAir(channel, live, self._live.rate(channel.id) or channel.rate, aired)


def standing(
    playlist: Playlist,
    items: Sequence[Item],
    assets: Mapping[str, Asset],
    on_air: Sequence[_OnAir],
    now: datetime,
    lock_s: int,
) -> tuple[OldItem, ...]:
    """Each item with why it may not be replaced, by every channel that plays the playlist. Pure.

    A channel of which nothing is known (it starts, its node is silent) locks what it last aired and nothing more. Of a
    list that goes round nothing is past, nor while it waits for a take: all but what is on air comes in the next round.
    """
    why: dict[str, tuple[str, bool]] = {}
    for one in on_air:
        name = one.channel.name
        list_ = sidecar_playlist(one.channel, playlist, items, assets, parse_rate(one.rate))
        timing = timing_on_air(list_, parse_rate(one.rate), one.live, one.aired)
        for item_id in one.aired:
            if item_id in timing.aired and item_id not in timing.starts:
                why[item_id] = (f"aired on {name}", True)
        if list_.after_last == "loop" and one.aired and one.live.picture in (None, "standby"):
            # All of a list that goes round comes again; but this one may be on air unseen, or be rejoined.
            why[max(one.aired, key=one.aired.__getitem__)] = (f"what aired last on {name}", True)
        for item_id, start in timing.starts.items():
            if now < start < now + timedelta(seconds=lock_s):
                why[item_id] = (f"due on {name} in {(start - now).total_seconds():.0f} s", True)
        following = one.live.next
        if following is not None and following.cued:
            why[following.item_id] = (f"cued on {name}", False)
        if one.live.item is not None:
            why[one.live.item.item_id] = (f"on air on {name}", True)
    return tuple(
        OldItem(item, _house_id(item, assets.get(item.asset_id or "")), *why.get(item.id, ("", False)))
        for item in items
    )


def _house_id(item: Item, asset: Asset | None) -> str | None:
    return item.house_id or (asset.house_id if asset else None)


def _count(found: Difference) -> int:
    return len(found.entries)


async def _seen(tx: Transaction, playlist_id: str, revision: int) -> Playlist:
    row = await tx.playlists.get(playlist_id)
    if row.revision != revision:
        raise StaleRevision(playlist_id, revision, row.revision)
    return row
