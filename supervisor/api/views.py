"""Rows of the store as the API shows them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from db import models
from sidecar.protocol.live_url import shown_live_url
from supervisor.agent import interface
from supervisor.api.permissions import Permission, may_in
from supervisor.asrun.shown import shown
from supervisor.live import NodeSeen
from supervisor.playlists.source_timecode import label_at
from supervisor.principal import Principal
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.asrun import AsRunEvent, AsRunRecordOut
from supervisor.schemas.asset import Asset
from supervisor.schemas.audit import AuditRow
from supervisor.schemas.channel import Channel, ChannelFormat, ChannelLive, Output
from supervisor.schemas.claim import Claim
from supervisor.schemas.history import HistoryEvent
from supervisor.schemas.media_root import MediaRoot
from supervisor.schemas.node import Device, Holder, Node
from supervisor.schemas.playlist import Item, Playlist
from supervisor.schemas.project import Project
from supervisor.schemas.stream_key import without_key

_SILENT: Final = ("away", "foreign", "other_cluster")


def project(row: models.Project) -> Project:
    """As the API shows it."""
    return Project.model_validate(row)


def node(row: models.Node, channels: int, seen: NodeSeen, claims: Sequence[Claim], now: datetime) -> Node:
    """``channels``: how many are placed there now. ``claims``: the live ones of its ports."""
    said = seen.condition
    names = ("id", "name", "kind", "url", "capacity", "draining", "maintenance", "is_test", "created_at", "rev")
    names += ("certificate", "certificate_given")
    age = seen.answer_age_s
    values: dict[str, object] = {name: getattr(row, name) for name in names}
    values |= {name: getattr(row, name) for name in ("lost_at", "lost_by", "lost_reason")}
    values |= {
        "channels": channels,
        "state": seen.state,
        "fault": seen.fault,
        "certificate_seen": seen.certificate,
        "encrypted": seen.is_encrypted,
        "away_since": now - timedelta(seconds=age) if age is not None and seen.state in _SILENT else None,
        "last_answer_age_ms": None if age is None else round(age * 1000),
        "clock_offset_ms": None if seen.offset_s is None else round(seen.offset_s * 1000),
    }
    if said is not None:
        values |= {
            "version": said.version,
            "launcher": said.launcher,
            "capabilities": tuple(sorted(said.capabilities)),
            "devices": tuple(_device(device, claims) for device in said.devices),
            "load": said.load,
            "engine_fault": said.engine_fault,
        }
    return Node.model_validate(values)


def _device(device: interface.Device, claims: Sequence[Claim]) -> Device:
    # A card without an id is claimed by its index; the index of one that has an id may change with a reboot.
    port = device.persistent_id or f"index:{device.index}"
    claim = next((claim for claim in claims if claim.port == port), None)
    return Device(
        index=device.index,
        model=device.model,
        persistent_id=device.persistent_id,
        busy=device.busy,
        held_by=None
        if claim is None
        else Holder(
            owner_kind=claim.owner_kind,
            owner_id=claim.owner_id,
            owner_name=claim.owner_name,
            state=claim.state,
            since=claim.since,
        ),
    )


def channel(row: models.Channel, outputs: Sequence[models.Output], live: ChannelLive) -> Channel:
    """``node_id`` is where people want it; where it is now is in ``live``."""
    names = ("id", "name", "number", "project_id", "playlist_id", "after_last", "resume_policy", "engine")
    return Channel.model_validate(
        {
            **{name: getattr(row, name) for name in names},
            "format": ChannelFormat(width=row.width, height=row.height, rate=row.rate),
            "outputs": tuple(Output.model_validate(output) for output in outputs),
            "node_id": row.wanted_node_id,
            "time_zone": row.time_zone,
            "day_start": row.day_start,
            "filler_playlist_id": row.filler_playlist_id,
            "standby_asset_id": row.standby_asset_id,
            **(row.playout or {}),
            "hold_failover": row.hold_failover,
            "hold_failover_by": row.hold_failover_by,
            "is_test": row.is_test,
            "desired": row.desired,
            "rev": row.rev,
            "created_at": row.created_at,
            "live": live,
        }
    )


def without_keys(view: Channel, who: Principal) -> Channel:
    """A channel as ``who`` may see it: only who may change an output sees the secret in its url."""
    if may_in(who, Permission.CONFIGURE, view.project_id):
        return view
    outputs = tuple(output.model_copy(update={"url": without_key(output.url)}) for output in view.outputs)
    return view.model_copy(update={"outputs": outputs})


def without_input_secrets(view: Item, who: Principal, project_id: str | None) -> Item:
    """An item of a list of this project as ``who`` may see it: only who may change the list sees the passphrase or
    key in a live input's url."""
    if view.url is None or may_in(who, Permission.SCHEDULE, project_id):
        return view
    shown = shown_live_url(view.url)
    return view.model_copy(update={"url": shown, "title": view.title.replace(view.url, shown)})


def playlist(row: models.Playlist, items: int) -> Playlist:
    """``items``: how many it has."""
    return Playlist(
        id=row.id,
        name=row.name,
        project_id=row.project_id,
        revision=row.revision,
        items=items,
        created_at=row.created_at,
    )


def item(row: models.Item, asset: models.Asset | None) -> Item:
    """With what its asset says."""
    names = ("id", "playlist_id", "position", "kind", "asset_id", "title", "in_frames", "out_frames", "slate_frames")
    return Item.model_validate(
        {
            **{name: getattr(row, name) for name in names},
            "start_mode": row.start_mode,
            "house_id": asset.house_id if asset else row.house_id,
            "in_timecode": label_at(row.in_frames, asset) if asset else None,
            "out_timecode": label_at(row.out_frames, asset) if asset and row.out_frames is not None else None,
            "asset_duration_ms": asset.asset_duration_ms if asset else None,
            "traffic_id": row.traffic_id,
            "planned_start": row.planned_start,
            **{name: getattr(row, name) for name in ("url", "fixed_at", "end_at", "block", "block_until", "dropped")},
            **(row.airing or {}),
        }
    )


def asset(row: models.Asset) -> Asset:
    """As the API shows it."""
    return Asset.model_validate(row)


def alarm(row: models.Alarm) -> Alarm:
    """As the API shows it."""
    return Alarm.model_validate(row)


def as_run_event(row: models.AsRunEvent) -> AsRunEvent:
    """As the API shows it."""
    return shown(row)


def as_run_record(row: models.AsRun) -> AsRunRecordOut:
    """As the API shows it."""
    return AsRunRecordOut.model_validate(row)


def audit_row(row: models.Audit) -> AuditRow:
    """As the API shows it."""
    return AuditRow.model_validate(row)


def history_event(row: models.StoredEvent) -> HistoryEvent:
    """As the API shows it."""
    return HistoryEvent.model_validate(row)


def media_root(row: models.MediaRoot) -> MediaRoot:
    """As the API shows it."""
    return MediaRoot.model_validate(row)
