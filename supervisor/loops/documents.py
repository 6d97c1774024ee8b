"""What a sidecar is told to play, read from the store."""

from dataclasses import dataclass, replace

import msgspec

from db.models import Channel, Output
from db.store import Store
from db.transaction import Transaction
from sidecar.protocol import channel as protocol
from sidecar.rundown.rate import parse_rate
from supervisor.airing import playout_of
from supervisor.decisions.fencing import ServerPlace, server_place
from supervisor.schemas.playout import Playout
from supervisor.sidecar_lists import NO_SPARE, Spare, sidecar_playlist


@dataclass(frozen=True, slots=True)
class Material:
    """One consistent view of a channel's list and outputs."""

    playlist: protocol.Playlist
    outputs: tuple[protocol.Output, ...]
    filler_revision: int = 0
    """Of the list that fills gaps; 0 where there is none."""

    def without(self, left_out: frozenset[str]) -> "Material":
        """The list without items that are not to be played."""
        if not left_out:
            return self
        items = tuple(item for item in self.playlist.items if item.id not in left_out)
        return replace(self, playlist=msgspec.structs.replace(self.playlist, items=items))


async def read_material(store: Store, row: Channel, rate: protocol.Rate, timeout: float) -> Material:
    """For a sidecar that runs at ``rate``. Raises StoreUnavailable, and Missing for a channel that was deleted."""
    playlist, items, assets = None, (), {}
    async with store.read(timeout=timeout) as tx:
        outputs = await tx.channels.outputs(row.id)
        if row.playlist_id is not None:
            playlist = await tx.playlists.get(row.playlist_id)
            items = await tx.playlists.items(row.playlist_id)
            assets = await tx.assets.of_playlist(row.playlist_id)
        spare = await read_spare(tx, row)
    told = sidecar_playlist(row, playlist, items, assets, parse_rate(rate), spare)
    return Material(told, tuple(map(_output, outputs)), spare.revision)


async def read_spare(tx: Transaction, row: Channel) -> Spare:
    """What the channel has beside its list."""
    if row.filler_playlist_id is None and row.standby_asset_id is None:
        return NO_SPARE
    filler, assets, revision = (), {}, 0
    if row.filler_playlist_id is not None:
        revision = (await tx.playlists.get(row.filler_playlist_id)).revision
        filler = await tx.playlists.items(row.filler_playlist_id)
        assets = await tx.assets.of_playlist(row.filler_playlist_id)
    standby = None if row.standby_asset_id is None else await tx.assets.get(row.standby_asset_id)
    return Spare(filler, assets, standby, revision)


def look_of(row: Channel) -> protocol.Look:
    """What is put on the channel's picture, and what is watched of it."""
    playout = playout_of(row)
    # What the logo says of categories is told item by item, with the list.
    logo = None if playout.logo is None else protocol.Logo(**playout.logo.model_dump(exclude={"categories"}))
    return protocol.Look(logo, protocol.WatchThresholds(playout.black_s, playout.freeze_s, playout.silence_s))


def document_of(row: Channel, material: Material, resume: protocol.ResumePoint | None) -> protocol.SidecarDocument:
    playout, look = playout_of(row), look_of(row)
    return protocol.SidecarDocument(
        channel_id=row.id,
        name=row.name,
        format=protocol.ChannelFormat(width=row.width, height=row.height, rate=row.rate),
        outputs=material.outputs,
        playlist=material.playlist,
        resume=resume,
        leased=row.leased,
        time_zone=row.time_zone,
        loudness_profile=playout.loudness_profile,
        logo=look.logo,
        watch=look.watch,
        caspar=_server(playout) if row.engine == "caspar" else None,
    )


def _server(playout: Playout) -> protocol.CasparServer:
    told = playout.caspar
    return protocol.CasparServer() if told is None else protocol.CasparServer(**told.model_dump())


def server_place_of(row: Channel) -> ServerPlace:
    """Where the server is that plays the channel; "none" where it plays itself."""
    return "none" if row.engine != "caspar" else server_place(row.engine, _server(playout_of(row)).host)


def _output(row: Output) -> protocol.Output:
    match row.kind:
        case "hls":
            encoding = None if row.encoding is None else msgspec.convert(row.encoding, protocol.Encoding)
            return protocol.Output(id=row.id, kind="hls", encoding=encoding)
        case "udp" | "srt" | "rtmp" | "decklink" | "file":
            return protocol.Output(
                id=row.id,
                kind=row.kind,
                url=row.url,
                lease_stop=row.lease_stop,
                transport=msgspec.convert(row.transport or {}, protocol.TransportStream),
                encoding=None if row.encoding is None else msgspec.convert(row.encoding, protocol.Encoding),
            )
        case _:
            raise ValueError(f"output {row.id} is of kind {row.kind!r}, which this version does not have")
