"""Rows of the store as the API shows them."""

from collections.abc import Sequence

from db import models
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.asrun import AsRunEvent, AsRunRecordOut
from supervisor.schemas.asset import Asset
from supervisor.schemas.audit import AuditRow
from supervisor.schemas.channel import Channel, ChannelFormat, ChannelLive, Output
from supervisor.schemas.node import Node
from supervisor.schemas.playlist import Item, Playlist
from supervisor.schemas.project import Project


def project(row: models.Project) -> Project:
    """As the API shows it."""
    return Project.model_validate(row)


def node(row: models.Node, channels: int, last_answer_age_ms: int | None) -> Node:
    """``channels``: how many are placed there now."""
    return Node.model_validate(
        {
            **{name: getattr(row, name) for name in ("id", "name", "kind", "url", "capacity", "draining")},
            "created_at": row.created_at,
            "rev": row.rev,
            "channels": channels,
            "last_answer_age_ms": last_answer_age_ms,
        }
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
            "desired": row.desired,
            "rev": row.rev,
            "created_at": row.created_at,
            "live": live,
        }
    )


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
            "house_id": asset.house_id if asset else None,
            "asset_duration_ms": asset.asset_duration_ms if asset else None,
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
    return AsRunEvent.model_validate(row)


def as_run_record(row: models.AsRun) -> AsRunRecordOut:
    """As the API shows it."""
    return AsRunRecordOut.model_validate(row)


def audit_row(row: models.Audit) -> AuditRow:
    """As the API shows it."""
    return AuditRow.model_validate(row)
