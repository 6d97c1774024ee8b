"""A supervisor's list that can be edited: rows with real ids, a revision that grows, refusals when told so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mcr_console.client import ApiProblem, ClientError
from supervisor.schemas.asset import Asset
from supervisor.schemas.channel import Channel, Rundown, RundownRow
from supervisor.schemas.playlist import Item, Playlist, PlaylistRevise, Revision, RevisionChange, Undone
from supervisor.schemas.rundown_edit import (
    ChangeEdit,
    DuplicateEdit,
    InsertEdit,
    MoveEdit,
    RemoveEdit,
    RundownEdit,
)

BEGIN = datetime.fromisoformat("2026-11-22T14:00:00+00:00")
TITLES = ("opener_1400", "headlines_1400", "weather_am", "promo_autumn", "break_14b", "council_report", "promo_winter")
LENGTHS = (300, 9400, 3750, 750, 4500, 36000, 4000)


def item_id(place: int) -> str:
    return f"{place:032x}"


@dataclass
class EditableList:
    """``edits`` are those done; ``locked`` refuses every edit, also as a preview."""

    channel: Channel
    revision: int = 3
    titles: list[tuple[str, str, int]] = field(
        default_factory=lambda: [
            (item_id(place), title, length)
            for place, (title, length) in enumerate(zip(TITLES, LENGTHS, strict=True), start=1)
        ]
    )
    edits: list[RundownEdit] = field(default_factory=list[RundownEdit])
    previews: int = 0
    locked: str = ""
    problem: ClientError | None = None
    revised: list[tuple[PlaylistRevise, bool]] = field(default_factory=list[tuple[PlaylistRevise, bool]])

    def rundown(self, rows: Sequence[tuple[str, str, int]] | None = None) -> Rundown:
        made: list[RundownRow] = []
        at = BEGIN
        for place, (id_, title, length) in enumerate(self.titles if rows is None else rows):
            made.append(
                RundownRow(
                    item_id=id_, position=place, title=title, kind="clip", start_mode="follow", start_at=at,
                    duration_frames=length, duration_ms=length * 40, asset_duration_ms=length * 40, state="planned",
                )
            )  # fmt: skip
            at += timedelta(milliseconds=length * 40)
        return Rundown(
            channel_id=self.channel.id, playlist_id=self.channel.playlist_id, revision=self.revision, rate="25",
            time_zone="UTC", rows=tuple(made),
        )  # fmt: skip

    def somebody_else_edits(self) -> None:
        """One more row at the top."""
        self.titles.insert(0, (item_id(70 + self.revision), "somebody_elses", 250))
        self.revision += 1

    async def preview(self, edit: RundownEdit) -> Rundown:
        self.previews += 1
        return self.rundown(self._after(edit))

    async def do(self, edit: RundownEdit) -> Rundown:
        self.titles = self._after(edit)
        self.edits.append(edit)
        self.revision += 1
        return self.rundown()

    async def item(self, id_: str) -> Item:
        title, length = next((title, length) for one, title, length in self.titles if one == id_)
        return Item(
            id=id_, playlist_id=self.channel.playlist_id or "", position=0, kind="clip", asset_id=item_id(1),
            house_id=None, title=title, in_frames=0, out_frames=None, in_timecode="00:00:00:00", slate_frames=None,
            start_mode="follow", asset_duration_ms=length * 40,
        )  # fmt: skip

    async def undo(self) -> Undone:
        self.revision += 1
        return Undone(playlist=self._playlist(), what="inserted 1 item")

    async def revise(self, values: PlaylistRevise, *, dry_run: bool) -> Revision:
        self.revised.append((values, dry_run))
        if values.revision != self.revision:
            raise self._stale()
        changes = (
            _change("kept", "headlines_1400"),
            _change("inserted", "late_news"),
            _change("locked", "weather_am", "not changed, it is due on Kids in 12 s: another length"),
            _change("removed", "promo_winter"),
        )
        if not dry_run:
            self.revision += 1
        return Revision(
            playlist=self._playlist(), applied=not dry_run, changes=changes, assets_new=1,
            refused=("line 7: no length",), warnings=(), missing=("H123",),
        )  # fmt: skip

    def _playlist(self) -> Playlist:
        return Playlist(
            id=self.channel.playlist_id or "", name="Day", project_id=None, revision=self.revision,
            items=len(self.titles), created_at=BEGIN,
        )  # fmt: skip

    def _stale(self) -> ApiProblem:
        return ApiProblem("Moved on", f"the list is at revision {self.revision}", "", code="stale_revision", status=409)

    def _after(self, wanted: RundownEdit) -> list[tuple[str, str, int]]:
        if self.problem is not None:
            raise self.problem
        if wanted.revision != self.revision:
            raise self._stale()
        if self.locked:
            raise ApiProblem("Conflicts with what is", self.locked, "", code="locked", status=409)
        rows, edit = list(self.titles), wanted.edit
        if isinstance(edit, InsertEdit):
            at = len(rows) if edit.at is None else edit.at
            new = [(item_id(90), one.title or "clip_of_store", one.slate_frames or 500) for one in edit.items]
            return [*rows[:at], *new, *rows[at:]]
        place = next(index for index, row in enumerate(rows) if row[0] == edit.item_id)
        if isinstance(edit, MoveEdit):
            rows.insert(edit.to, rows.pop(place))
        elif isinstance(edit, DuplicateEdit):
            rows.insert(place + 1, (item_id(91), *rows[place][1:]))
        elif isinstance(edit, RemoveEdit):
            rows.pop(place)
        elif isinstance(edit, ChangeEdit):
            id_, title, length = rows[place]
            length = 1000 if edit.changes.out_timecode else length
            rows[place] = (id_, edit.changes.title or title, length)
        return rows


def _change(verdict: str, title: str, what: str = "") -> RevisionChange:
    return RevisionChange.model_validate(
        {
            "verdict": verdict, "title": title, "item_id": None, "line": "line 4", "traffic_id": None,
            "house_id": "H1", "planned_start": BEGIN, "what": what,
        }
    )  # fmt: skip


def asset(place: int, title: str, house_id: str | None = None) -> Asset:
    return Asset(
        id=item_id(200 + place), project_id=None, house_id=house_id, title=title, path=f"/srv/clips/{title}.mov",
        size_bytes=1, fingerprint="0", rate="25", duration_frames=500 * place, asset_duration_ms=20000 * place,
        width=1280, height=720, video_codec="h264", audio_codec="aac", audio_channels=2, created_at=BEGIN, rev=1,
    )  # fmt: skip


ASSETS = (
    asset(1, "promo_spring", "H77"),
    asset(2, "promo_summer", "H78"),
    asset(3, "trailer_fire"),
)
