"""Who hears of what came in: the channel's history, its alarms, and the log."""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from db.models import WatchedFolder
from supervisor.decisions.alarms import Wanted
from supervisor.intake.lists import Outcome
from supervisor.intake.watch import Intake
from supervisor.loops.supervision import Supervision

_REFUSED: Final = "list_refused"
_UNREADABLE: Final = "watched_folder_fault"

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

    def fault(folder: WatchedFolder, why: str) -> None:
        """One alarm a channel, and one for all folders of media."""
        faults[folder.id] = (folder.channel_id, why)
        here = [text for channel_id, text in faults.values() if channel_id == folder.channel_id and text]
        text = "; ".join(sorted(here))
        supervision.alarms.want(
            (_UNREADABLE,), {_UNREADABLE: Wanted("warning", text)} if here else {}, channel_id=folder.channel_id
        )

    return Intake(lambda: supervision.standing().leader, outcome, fault, joined)
