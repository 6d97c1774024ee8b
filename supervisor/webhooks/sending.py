"""Empties the outbox: every receiver by itself and in order, again and again until it takes what it is told."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

import structlog

from db.errors import NotLeader, StoreError
from db.models import Webhook, WebhookDelivery
from db.repositories.leader import Fence
from db.repositories.webhooks import QueueLength
from db.store import Store
from db.transaction import Transaction
from supervisor.clock import Clock
from supervisor.decisions.alarms import Wanted
from supervisor.tally import Tally
from supervisor.webhooks.calling import NotTaken

log = structlog.get_logger(__name__)

WEBHOOK_ALARMS: Final = ("webhook_failing", "webhook_dead")
_FAILING, _DEAD = WEBHOOK_ALARMS
EVERY_S: Final = 1.0
NOBODY_S: Final = 5.0
"""How often it is looked whether there is a receiver while there is none."""
BATCH: Final = 20
AT_ONCE: Final = 8
"""Receivers that are called side by side."""
BACKOFF_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
ALARM_AFTER: Final = timedelta(seconds=60)
GIVEN_UP_AFTER: Final = timedelta(hours=24)
MOST: Final = 20_000
"""Deliveries that may wait for one receiver: the oldest beyond are given up."""
KEPT_DEAD: Final = 1_000
_TIDY_S: Final = 60.0
_STORE_S: Final = 5.0


class Calls(Protocol):
    """``supervisor.webhooks.calling.Caller``."""

    async def call(self, url: str, secret: str, fact_id: str, body: str) -> int: ...


class Sending:
    """One task of the supervisor that leads; ends at any point without harm, and begins anew.

    What was taken is deleted afterwards, so who is ended between the two tells it twice and never not at all.
    ``want`` is the alarm board's.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        caller: Calls,
        fence: Callable[[], Fence | None],
        want: Callable[[Sequence[str], Mapping[str, Wanted]], None],
        tally: Tally,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._clock = clock
        self._caller = caller
        self._fence = fence
        self._want = want
        self._chance = chance
        self._places = asyncio.Semaphore(AT_ONCE)
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._tidied = -_TIDY_S
        self._tally = tally
        self._lengths: Mapping[str, QueueLength] = {}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                pause = NOBODY_S
                if self._fence() is not None:
                    try:
                        pause = await self.look(group)
                    except (StoreError, NotLeader) as error:
                        log.warning("webhooks are sent later", why=str(error))
                else:
                    self._tally.webhooks = {}
                await self._clock.sleep(pause)

    async def look(self, group: asyncio.TaskGroup) -> float:
        """Begins to serve whom nobody serves yet; in how many seconds to look again."""
        async with self._store.read(timeout=_STORE_S) as tx:
            hooks = await tx.webhooks.list()
            self._lengths = await tx.webhooks.lengths() if hooks else {}
        lengths = {hook.id: self._lengths.get(hook.id, QueueLength()) for hook in hooks}
        self._tally.webhooks = {id_: (length.waiting, length.dead) for id_, length in lengths.items()}
        self._tell(hooks)
        for hook in hooks:
            if lengths[hook.id].waiting and hook.id not in self._serving:
                task = group.create_task(self._serve(hook), name=f"webhook {hook.id}")
                self._serving[hook.id] = task
                task.add_done_callback(lambda _, id_=hook.id: self._serving.pop(id_, None))
        if hooks and self._clock.monotonic() - self._tidied >= _TIDY_S:
            self._tidied = self._clock.monotonic()
            await self._tidy()
        return EVERY_S if hooks else NOBODY_S

    async def _tidy(self) -> None:
        """Gives up what nobody took for too long."""
        try:
            async with self._store.write(timeout=_STORE_S) as tx:
                await self._lead(tx)
                gone = await tx.webhooks.give_up(self._clock.now() - GIVEN_UP_AFTER, MOST, KEPT_DEAD)
        except (StoreError, NotLeader) as error:
            log.warning("webhooks are tidied later", why=str(error))
            return
        if gone:
            log.error("deliveries to webhooks are given up", count=gone)

    def _tell(self, hooks: Sequence[Webhook]) -> None:
        """The alarms: of what fails for long, and of what was given up."""
        now = self._clock.now()
        failing = [
            f"webhook {hook.id[:8]} takes nothing since {hook.failing_since:%H:%M:%S} UTC: {hook.fault}"
            for hook in hooks
            if hook.failing_since is not None and now - hook.failing_since >= ALARM_AFTER
        ]
        dead = [
            f"{length.dead} deliveries to webhook {hook.id[:8]} were given up"
            for hook in hooks
            if (length := self._lengths.get(hook.id)) is not None and length.dead
        ]
        wanted: dict[str, Wanted] = {}
        if failing:
            wanted[_FAILING] = Wanted("warning", "; ".join(failing))
        if dead:
            text = f"{'; '.join(dead)}: mcr webhook retry tells them again, mcr webhook forget does not"
            wanted[_DEAD] = Wanted("warning", text)
        self._want(WEBHOOK_ALARMS, wanted)

    async def _serve(self, hook: Webhook) -> None:
        """One receiver until nothing is due. Whatever goes wrong with it holds up no other."""
        try:
            async with self._places:
                while await self._some(hook):
                    pass
        except (StoreError, NotLeader) as error:
            log.warning("a webhook is served later", webhook=hook.id, why=str(error))
        except Exception:
            log.exception("a webhook cannot be served", webhook=hook.id)

    async def _some(self, hook: Webhook) -> bool:
        """The next few, in order; whether to go on at once."""
        async with self._store.read(timeout=_STORE_S) as tx:
            rows = await tx.webhooks.head(hook.id, BATCH)
        # Compared from both sides: a clock that was set back must not keep anything for ever.
        wait = (rows[0].not_before - self._clock.now()).total_seconds() if rows else 0.0
        if not rows or 0 < wait <= BACKOFF_S[-1] or self._fence() is None:
            return False
        taken: list[int] = []
        fault = ""
        for row in rows:
            if self._fence() is None:
                break  # whoever leads now tells the rest
            try:
                await self._caller.call(hook.url, hook.secret, row.fact_id, row.body)
            except NotTaken as error:
                fault = str(error)
                break
            except Exception as error:
                # Noted like any other failure, so that it is tried later and later instead of every second.
                log.exception("a webhook cannot be called", webhook=hook.id)
                fault = f"it could not be called: {type(error).__name__}"
                break
            taken.append(row.id)
        await self._note(hook, taken, rows[len(taken)] if fault else None, fault)
        return not fault and len(rows) == BATCH

    async def _note(self, hook: Webhook, taken: Sequence[int], refused: WebhookDelivery | None, fault: str) -> None:
        now = self._clock.now()
        self._tally.webhook_calls["taken"] += len(taken)
        async with self._store.write(timeout=_STORE_S) as tx:
            await self._lead(tx)
            if taken:
                await tx.webhooks.took(hook.id, taken, now)
            if refused is not None:
                self._tally.webhook_calls["refused"] += 1
                step = BACKOFF_S[min(refused.attempts, len(BACKOFF_S) - 1)]
                wait = timedelta(seconds=step / 2 + step / 2 * self._chance())
                await tx.webhooks.refused(hook.id, refused.id, now + wait, fault, now)
                log.warning("a webhook did not take what it was told", webhook=hook.id, why=fault)

    async def _lead(self, tx: Transaction) -> None:
        fence = self._fence()
        if fence is None:
            raise NotLeader(0)
        await tx.leader.require(fence)
