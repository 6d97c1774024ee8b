"""Looks whether every other node reads what each channel will air: a move there would gain nothing else."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from db.errors import StoreError
from supervisor.agent.interface import AgentAway, AgentError, MediaSeen
from supervisor.decisions.media import MediaNeeds, coming_clips, media_verdict, needs_of_paths
from supervisor.decisions.placement import UNSEEN_MEDIA, MediaVerdict
from supervisor.loops.channel import ChannelKeeper
from supervisor.loops.desk import Desk
from supervisor.loops.documents import read_material
from supervisor.loops.nodes import NodeWatch

log = structlog.get_logger(__name__)

PATHS: Final = 5_000
"""Files that one call asks a node for."""
_READY: Final = MediaVerdict()


@dataclass(frozen=True, slots=True)
class _Need:
    """What a channel needs; ``key`` tells when that is to be read anew."""

    key: tuple[object, ...]
    paths: tuple[str, ...]


class MediaWatch:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._desk: Desk
        self._needs: dict[str, _Need] = {}
        self._verdicts: dict[tuple[str, str], MediaVerdict] = {}

    def use(self, desk: Desk) -> None:
        """Once, before anything else."""
        self._desk = desk

    def verdict(self, channel_id: str, node_id: str) -> MediaVerdict:
        """As it was last looked at."""
        need = self._needs.get(channel_id)
        if need is not None and not need.paths:
            return _READY
        return self._verdicts.get((channel_id, node_id), UNSEEN_MEDIA)

    async def run(self) -> None:
        """Looks until cancelled: soon after anything changed, else every ``media_look`` seconds."""
        while True:
            changed = True
            if self._desk.leadership.fence is not None:
                changed = await self._look()
            wait = self._desk.timing.poll if changed else self._desk.timing.media_look
            due = self._desk.clock.monotonic() + wait
            while True:
                # At least once: what is stale stays so while another supervisor leads or the store is away.
                await self._desk.clock.sleep(self._desk.timing.poll)
                if self._desk.clock.monotonic() >= due or self._is_stale():
                    break

    def _is_stale(self) -> bool:
        wanted = [keeper for keeper in self._desk.keepers() if keeper.row.desired == "on"]
        nodes = self._desk.fleet.watches
        return len(nodes) > 1 and any(
            self._needs.get(keeper.row.id, _NOTHING).key[:2] != _key(keeper)[:2]
            or any(
                (keeper.row.id, node_id) not in self._verdicts
                for node_id, watch in nodes.items()
                if watch.state == "answers" and self._needs[keeper.row.id].paths
            )
            for keeper in wanted
        )

    async def _look(self) -> bool:
        """Every node once; whether a node or the store could not be asked."""
        watches = self._desk.fleet.watches
        if len(watches) < 2:
            return False
        try:
            await self._read_needs()
            async with self._desk.store.read(timeout=self._desk.timing.store) as tx:
                markers = {root.path: root.marker for root in await tx.media_roots.list()}
        except StoreError as error:
            log.warning("media cannot be looked at", why=str(error))
            return True
        needs: dict[str, MediaNeeds] = {}
        for channel_id, need in tuple(self._needs.items()):
            needs[channel_id] = needs_of_paths(need.paths, markers)
            await asyncio.sleep(0)
        looks = [self._look_at(watch, markers, needs) for watch in watches.values() if watch.state == "answers"]
        # Side by side: one with a file server that hangs must not keep the others from being targets.
        return not all(await asyncio.gather(*looks))

    async def _read_needs(self) -> None:
        needs: dict[str, _Need] = {}
        for keeper in tuple(self._desk.keepers()):
            row = keeper.row
            if row.desired != "on":
                continue
            key = _key(keeper)
            known = self._needs.get(row.id)
            if known is not None and known.key == key:
                needs[row.id] = known
                continue
            material = await read_material(self._desk.store, row, row.rate, self._desk.timing.store)
            item_id = None if keeper.actions.position is None else keeper.actions.position.item_id
            needs[row.id] = _Need(
                key, coming_clips(material.playlist, item_id, row.rate, self._desk.timing.media_ahead)
            )
        self._needs = needs
        self._verdicts = {key: verdict for key, verdict in self._verdicts.items() if key[0] in needs}

    async def _look_at(self, watch: NodeWatch, markers: Mapping[str, str], needs: Mapping[str, MediaNeeds]) -> bool:
        paths = tuple(dict.fromkeys(path for need in needs.values() for path in need.paths))
        seen: dict[str, str | None] = {}
        missing: dict[str, str] = {}
        try:
            for at in range(0, len(paths), PATHS):
                told: MediaSeen = await watch.agent.media(tuple(markers), paths[at : at + PATHS])
                seen |= {root.path: root.marker for root in told.roots}
                missing |= told.missing
        except AgentError as error:
            log.log(20 if isinstance(error, AgentAway) else 30, "a node was not asked for its media", why=str(error))
            return False
        for channel_id, need in needs.items():
            self._verdicts[channel_id, watch.node_id] = media_verdict(need, markers, seen, missing)
        return True


_NOTHING: Final = _Need((), ())


def _key(keeper: ChannelKeeper) -> tuple[object, ...]:
    position = keeper.actions.position
    return (
        keeper.row.playlist_id,
        keeper.actions.given_revision,
        keeper.row.after_last,
        None if position is None else position.item_id,
    )
