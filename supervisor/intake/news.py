"""Who hears of what came in: the channel's history, its alarms, and the log."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from db.models import WatchedFolder
from supervisor.decisions.alarms import Wanted
from supervisor.intake.lists import Outcome
from supervisor.intake.watch import FolderKind, Intake
from supervisor.loops.supervision import Supervision

INTAKE_ALARMS: Final = ("list_refused", "watched_folder_fault")
_REFUSED, _UNREADABLE = INTAKE_ALARMS

_log = structlog.get_logger(__name__)


def intake_news(supervision: Supervision, joined: Callable[[str], Awaitable[None]]) -> Intake:
    """A refused list stays an alarm until a later one of its channel is taken, or somebody has seen it."""
    faults: dict[str, tuple[str | None, str]] = {}

    def outcome(channel_id: str, came: Outcome) -> None:
        row = supervision.row(channel_id)
        name = channel_id if row is None else row.name
        text = came.text if came.text.startswith(f"{name}:") else f"{name}: {came.text}"
        _log.info("a list came", channel=name, list=came.name, result=came.result, text=text)
        supervision.history.list_came(channel_id, text, {"list": came.name, "result": came.result})
        bad = came.result == "refused" or came.lines_refused > 0
        supervision.alarms.want((_REFUSED,), {_REFUSED: Wanted("warning", text)} if bad else {}, channel_id=channel_id)

    def watched(kind: FolderKind, folders: Sequence[WatchedFolder]) -> None:
        """What is told of a folder that is no more is over, also what another supervisor told of it."""
        there = {folder.id for folder in folders}
        of_media = kind == "media"  # which have no channel
        known = {folder_id: of for folder_id, (of, _) in faults.items() if (of is None) == of_media}
        gone = {folder_id: of for folder_id, of in known.items() if folder_id not in there}
        for folder_id in gone:
            del faults[folder_id]
        subjects = {None} if of_media else {*(row.id for row in supervision.rows()), *gone.values()}
        not_looked_at = {folder.channel_id for folder in folders if folder.id not in faults}
        for channel_id in subjects - not_looked_at:
            tell(channel_id)

    def fault(folder: WatchedFolder, why: str) -> None:
        faults[folder.id] = (folder.channel_id, why)
        tell(folder.channel_id)

    def tell(channel_id: str | None) -> None:
        """One alarm a channel, and one for all folders of media."""
        here = sorted(text for of, text in faults.values() if of == channel_id and text)
        wanted = {_UNREADABLE: Wanted("warning", "; ".join(here))} if here else {}
        supervision.alarms.want((_UNREADABLE,), wanted, channel_id=channel_id)

    return Intake(lambda: supervision.standing().leader, outcome, watched, fault, joined)
