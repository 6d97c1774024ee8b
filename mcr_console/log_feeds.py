"""Paging through what happened and what aired, as ``Client`` does it. Both raise ``ClientError``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.base import Page
from supervisor.schemas.history import HistoryEvent, HistoryKind


class HistoryFeed(Protocol):
    async def history_page(
        self,
        *,
        channel_id: str | None = None,
        node_id: str | None = None,
        kinds: Sequence[HistoryKind] = (),
        cursor: str | None = None,
        limit: int = 200,
    ) -> Page[HistoryEvent]: ...


class AsRunFeed(Protocol):
    async def asrun_page(
        self,
        *,
        channel_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = 200,
        order: Literal["asc", "desc"] = "desc",
    ) -> Page[AsRunEvent]: ...
