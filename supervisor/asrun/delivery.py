"""The log of every broadcast day, delivered by itself once the day is over, and again when somebody asks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

import httpx
import structlog

from db.errors import Missing, NotLeader, StoreError
from db.models import AsRunEvent, AsRunIssue, Channel
from db.repositories.as_run import EventFilters
from db.repositories.as_run_notes import NO_CHANNEL
from db.repositories.leader import Fence
from db.store import Store
from db.transaction import Transaction
from supervisor.asrun.delays import delays_of
from supervisor.asrun.export.formats import FORMS, export, file_name
from supervisor.asrun.service import sentence_of
from supervisor.asrun.spans import Span, events_of, running_day, span_of_day
from supervisor.asrun.targets import NameTaken, Target
from supervisor.asrun.verifying import Verifying
from supervisor.clock import Clock
from supervisor.errors import McrError, Unavailable
from supervisor.schemas.asrun import ExportFormat
from supervisor.schemas.channel import OutputLive
from supervisor.threads import Threads

log = structlog.get_logger(__name__)

EVERY_S: Final = 15.0
GRACE: Final = timedelta(minutes=2)
"""After a day's end, for the last records to come in."""
LATEST: Final = timedelta(hours=1)
"""After this a day is delivered though an event that began in it is on air still."""
BACK: Final = 7
"""Days that are made up for, where nobody delivered them in time."""
SETTLED_S: Final = 60.0
"""A day that changed since it was delivered is issued again when nothing more of it changed for so long."""
AT_ONCE: Final = 20
"""Issues of one round."""
RETRY_S: Final = (15.0, 30.0, 60.0, 120.0, 300.0)
PUT_S: Final = 300.0
"""Deadline of one file at one target, however slowly it takes it."""
_WRITE_S: Final = 5.0
_DAY: Final = timedelta(days=1)
BY: Final = "system"


class Delivery:
    """One task of the supervisor that leads; ends at any point without harm, and begins anew.

    What is to be delivered is a row before anything is written, so that no number is ever given twice; a file is put
    again until every target took it, under the same name.
    """

    def __init__(
        self,
        store: Store,
        targets: Sequence[Target],
        clock: Clock,
        threads: Threads,
        fence: Callable[[], Fence | None],
        tell: Callable[[str, str, Mapping[str, object]], None] = lambda _channel, _text, _detail: None,
        live: Callable[[str], Sequence[OutputLive]] = lambda _channel: (),
    ) -> None:
        """``tell``: of a channel, in a sentence, that a day is issued again. ``live``: a channel's outputs as they are
        now."""
        self._store = store
        self._targets = tuple(targets)
        self._clock = clock
        self._verifying = Verifying(store, threads)
        self._fence = fence
        self._tell = tell
        self._live = live
        self._moving: dict[tuple[str, str, int], tuple[int, float]] = {}
        """Of each delivered issue that is another now: how often it changed, and since when no more."""
        self._not_before: dict[tuple[str, str, int], float] = {}
        self._taken: dict[tuple[str, str, int], set[tuple[int, ExportFormat]]] = {}
        """Of each issue that waits which target took which form."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if self._targets and self._fence() is not None:
                try:
                    await self.round()
                except (StoreError, McrError) as error:
                    log.warning("as-run logs are delivered later", why=str(error))
                except Exception:
                    log.exception("as-run logs cannot be delivered")
            await self._clock.sleep(EVERY_S)

    async def round(self) -> None:
        """Issues every day that is over, then delivers what waits and is due."""
        now = self._clock.now()
        async with self._store.read() as tx:
            channels = await tx.channels.list()
            # What a person issues of a day, maybe while it runs, is no delivery of the whole of it.
            last = await tx.as_run_issues.last_days(BY)
        for channel in channels:
            for day in self._over(channel, last.get(channel.id), now):
                await self._issue(channel, day, now)
        await self._issue_changed(last, now)
        async with self._store.read() as tx:
            waiting = await tx.as_run_issues.waiting(AT_ONCE * 5)
            left = await tx.as_run_issues.left(AT_ONCE)
        for issue in left:
            await self._change(issue, fault=NO_CHANNEL)
        due = [issue for issue in waiting if self._not_before.get(_key(issue), 0.0) <= self._clock.monotonic()]
        silent: dict[int, str] = {}
        for issue in due[:AT_ONCE]:
            await self._try(issue, silent)

    def _over(self, channel: Channel, last: str | None, now: datetime) -> list[date]:
        """The days that ended and were not issued, oldest first."""
        newest = running_day(channel, now - GRACE) - _DAY
        first = date.fromisoformat(last) + _DAY if last else newest
        first = max(first, newest - _DAY * (BACK - 1))
        return [first + _DAY * ahead for ahead in range((newest - first).days + 1)]

    async def _issue(self, channel: Channel, day: date, now: datetime) -> None:
        span = span_of_day(channel, day)
        async with self._store.read() as tx:
            begun = await _newest(tx, span)
        if begun and begun[0].end_at is None and now < span.end + LATEST:
            return  # what began last is on air still: its end belongs to this day's log
        async with self._store.write(timeout=_WRITE_S) as tx:
            await self._lead(tx)
            # Asked here: what came in before this is no change of the day to anybody, so it must not be overlooked.
            if not await _newest(tx, span) and not await tx.as_run.reaching(channel.id, span.start):
                # Nothing is delivered, unless a journal comes in late.
                await tx.as_run_issues.leave_out(channel.id, day.isoformat(), BY, now, span.start, span.end)
            else:
                await tx.as_run_issues.add(channel.id, day.isoformat(), BY, now, begins=span.start, ends=span.end)

    async def _issue_changed(self, last: Mapping[str, str], now: datetime) -> None:
        """A journal that came in late, a correction or a note: the day gets its next number.

        ``last``: the newest day of each channel that is over and was issued; of a running one the whole comes anyway.
        """
        async with self._store.read() as tx:
            changed = await tx.as_run_issues.changed(AT_ONCE * 5)
        moving, self._moving = self._moving, {}
        for issue in changed:
            if issue.day > last.get(issue.channel_id, ""):
                continue
            changes, since = moving.get(_key(issue), (-1, 0.0))
            if changes != issue.changes:
                changes, since = issue.changes, self._clock.monotonic()
            if self._clock.monotonic() - since < SETTLED_S:
                self._moving[_key(issue)] = changes, since
                continue
            async with self._store.write(timeout=_WRITE_S) as tx:
                await self._lead(tx)
                again = await tx.as_run_issues.add(
                    issue.channel_id, issue.day, BY, now, begins=issue.start_at, ends=issue.end_at
                )
            text = f"the as-run log of {issue.day} is issued again, as number {again.number}: {issue.why}"
            log.info(text, channel=issue.channel_id)
            self._tell(issue.channel_id, text, {"day": issue.day, "number": again.number, "why": issue.why})

    async def _try(self, issue: AsRunIssue, silent: dict[int, str]) -> None:
        """``silent``: targets that did not answer in this round, and why; they are asked again in the next one."""
        fault = ""
        events = 0
        verdict = ""
        try:
            events, verdict, fault = await self._deliver(issue, silent)
        except NotLeader:
            raise
        except NameTaken as error:
            await self._renumber(issue, str(error))
            return
        except Missing:
            fault = NO_CHANNEL
        except Exception as error:
            # Whatever is wrong with this one, the others are not to wait for it.
            log.exception("an as-run log cannot be made", channel=issue.channel_id, day=issue.day)
            fault = str(error) or type(error).__name__
        attempts = issue.attempts + 1
        values: dict[str, object] = {"attempts": attempts, "fault": fault[:500]}
        if not fault:
            values |= {
                "state": "delivered",
                "delivered_at": self._clock.now(),
                "events": events,
                "verdict": verdict[:500],
                # As they were before the log was read: what came in since is in the next issue.
                "included": issue.changes,
            }
            self._not_before.pop(_key(issue), None)
            self._taken.pop(_key(issue), None)
            log.info("an as-run log is delivered", channel=issue.channel_id, day=issue.day, number=issue.number)
        else:
            wait = RETRY_S[min(attempts, len(RETRY_S)) - 1]
            self._not_before[_key(issue)] = self._clock.monotonic() + wait
            log.warning("an as-run log is delivered later", channel=issue.channel_id, day=issue.day, why=fault)
        await self._change(issue, **values)

    async def _renumber(self, issue: AsRunIssue, why: str) -> None:
        """A term before this one delivered files of this number, and the log is another now."""
        self._taken.pop(_key(issue), None)
        async with self._store.write(timeout=_WRITE_S) as tx:
            await self._lead(tx)
            number = await tx.as_run_issues.next_number(issue)
        log.warning(
            "an as-run log gets the next number", channel=issue.channel_id, day=issue.day, number=number, why=why
        )

    async def _change(self, issue: AsRunIssue, **values: object) -> None:
        async with self._store.write(timeout=_WRITE_S) as tx:
            await self._lead(tx)
            await tx.as_run_issues.change(issue, **values)

    async def _deliver(self, issue: AsRunIssue, silent: dict[int, str]) -> tuple[int, str, str]:
        """How many events the log has, what its proof says, and which targets did not take it and why.

        A target that is away keeps nothing from the others; what one took it is not given again.
        """
        now = self._clock.now()
        async with self._store.read() as tx:
            channel = await tx.channels.get(issue.channel_id)
            outputs = await tx.channels.outputs(issue.channel_id)
        delays = delays_of(outputs, self._live(issue.channel_id))
        span = replace(span_of_day(channel, date.fromisoformat(issue.day)), delays=delays)
        proof = await self._verifying.verify(span, now)
        faults: list[str] = []
        for index, target in enumerate(self._targets):
            try:
                if index in silent:
                    raise Unavailable(silent[index])
                await self._give(issue, index, target, span, now)
            except (NotLeader, NameTaken):
                raise
            except (StoreError, McrError, OSError, httpx.HTTPError, TimeoutError) as error:
                faults.append(str(error) or "it did not take the log in time")
                if isinstance(error, TimeoutError | httpx.TransportError):
                    silent[index] = faults[-1]
        events = 0
        async for _ in events_of(self._store, span, begun_before=False):
            events += 1
        return events, sentence_of(proof), "; ".join(faults)

    async def _give(self, issue: AsRunIssue, index: int, target: Target, span: Span, now: datetime) -> None:
        taken = self._taken.setdefault(_key(issue), set())
        for form, kind in FORMS.items():
            if (index, form) in taken:
                continue
            name = file_name(span, form).removesuffix(kind.suffix) + f"{issue.number}.{kind.suffix}"
            async with asyncio.timeout(PUT_S):
                await target.put(_folder(span), name, self._data(span, form, now))
            taken.add((index, form))

    def _data(self, span: Span, form: ExportFormat, now: datetime) -> AsyncIterator[bytes]:
        return export(self._store, span, form, now)

    async def _lead(self, tx: Transaction) -> None:
        fence = self._fence()
        if fence is None:
            raise NotLeader(0)
        await tx.leader.require(fence)


async def _newest(tx: Transaction, span: Span) -> Sequence[AsRunEvent]:
    """What began last in the span, if anything did."""
    filters = EventFilters(channel_id=span.channel_id, start_from=span.start, start_to=span.end)
    return await tx.as_run.events(filters, None, 1)


def _folder(span: Span) -> str:
    """The channel's own: its number and name, of letters that every file system takes, and the start of its id, as
    another channel may get number and name once this one is deleted."""
    return file_name(span, "csv").partition(f".{span.day:%Y-%m-%d}" if span.day else ".")[0] + f"-{span.channel_id[:8]}"


def _key(issue: AsRunIssue) -> tuple[str, str, int]:
    return issue.channel_id, issue.day, issue.number
