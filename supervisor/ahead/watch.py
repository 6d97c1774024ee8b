"""Says in time what will be missing: alarms of every channel that is on, for what it needs soon."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn

import structlog

from db.errors import StoreError
from db.models import Channel
from supervisor.ahead.looking import Ahead, Due, Report
from supervisor.alarms import AlarmBoard
from supervisor.clock import Clock
from supervisor.decisions.alarms import Wanted
from supervisor.errors import McrError

EVERY_S: Final = 20.0
PACE: Final = 4
"""So many times as long as the look at a channel took nothing is done."""
SOON: Final = timedelta(minutes=30)
AT_ONCE: Final = timedelta(minutes=5)
"""What is not ready so short before it is needed is critical."""
CODES: Final = ("ahead_not_ready", "ahead_doubtful", "spare_not_ready", "spare_doubtful")
_DOUBTFUL: Final = frozenset({"short", "silent", "changed"})
"""Warnings that somebody should look at before it airs; the others are in the list of what was checked."""

_log = structlog.get_logger(__name__)


class AheadWatch:
    """``channels``: those there are. Belongs to one event loop."""

    def __init__(
        self, ahead: Ahead, clock: Clock, alarms: AlarmBoard, channels: Callable[[], Sequence[Channel]],
        leads: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._ahead = ahead
        self._clock = clock
        self._alarms = alarms
        self._channels = channels
        self._leads = leads

    async def run(self) -> NoReturn:
        """Until cancelled."""
        while True:
            if self._leads():
                for channel in self._channels():
                    began = self._clock.monotonic()
                    await self._look(channel)
                    # Long lists of many channels: what is coming is checked in the time that playout leaves.
                    await self._clock.sleep(PACE * (self._clock.monotonic() - began))
            await self._clock.sleep(EVERY_S)

    async def _look(self, channel: Channel) -> None:
        wanted: dict[str, Wanted] = {}
        if channel.desired != "on":
            self._ahead.latest.pop(channel.id, None)
        else:
            try:
                report = self._ahead.latest[channel.id] = await self._ahead.of(channel, SOON)
                wanted = alarms_of(channel.name, report)
            except (StoreError, McrError) as error:
                _log.info("what is coming was not checked", channel=channel.name, why=str(error))
                return
        self._alarms.want(CODES, wanted, channel_id=channel.id)


def alarms_of(name: str, report: Report) -> dict[str, Wanted]:
    """By code. Pure."""
    timed = [(due, due.needed_by) for due in report.due if due.needed_by is not None and due.role == "list"]
    wanted: dict[str, Wanted] = {}
    bad = [(due, at) for due, at in timed if due.severity == "critical"]
    if bad:
        first = min(at for _, at in bad)
        severity = "critical" if first <= report.at + AT_ONCE else "warning"
        wanted["ahead_not_ready"] = Wanted(severity, _said(name, bad))
    odd = [(due, at) for due, at in timed if _is_doubtful(due)]
    if odd:
        wanted["ahead_doubtful"] = Wanted("warning", _said(name, odd))
    return wanted | _spare_alarms(name, report)


def _spare_alarms(name: str, report: Report) -> dict[str, Wanted]:
    """Of filler and the STANDBY clip. What is missing is critical where only the slate is left to show."""
    spare = [due for due in report.due if due.role != "list"]
    wanted: dict[str, Wanted] = {}
    bad = [due for due in spare if due.severity == "critical"]
    if bad:
        first = next((due for due in bad if due.role == "standby"), bad[0])
        bare = first.role == "standby" or len(bad) == report.filler
        wanted["spare_not_ready"] = Wanted("critical" if bare else "warning", _said_of_spare(name, first, len(bad)))
    if odd := [due for due in spare if _is_doubtful(due)]:
        wanted["spare_doubtful"] = Wanted("warning", _said_of_spare(name, odd[0], len(odd)))
    return wanted


def _is_doubtful(due: Due) -> bool:
    return due.severity == "warning" and any(one.code in _DOUBTFUL for one in due.findings)


def _said_of_spare(name: str, due: Due, count: int) -> str:
    what = "the STANDBY clip" if due.role == "standby" else "filler"
    more = f"; and {count - 1} more" if count > 1 else ""
    return f'{name}: {what} "{due.item.title}", needed by now: {due.findings[0].text}{more}'


def _said(name: str, found: Sequence[tuple[Due, datetime]]) -> str:
    due, at = min(found, key=lambda one: one[1])
    more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
    return f'{name}: "{due.item.title}", needed by {at:%H:%M:%S} UTC: {due.findings[0].text}{more}'
