"""Whether a container engine answers, which one it is, and which containers it says have ended."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from supervisor.agent.docker_engine import Api, Engine, EngineRefused, Json
from supervisor.agent.interface import EngineAway
from supervisor.clock import Clock
from supervisor.nursery import Nursery

log = structlog.get_logger(__name__)

_T = TypeVar("_T")
_PULSE: Final = 2.0
"""Seconds between looks whether the engine answers, and for how long each waits."""


class EngineWatch:
    """``begin`` and ``close`` it. ``filters`` choose the events that are news of a container; ``back`` is called when
    the engine answers again. ``fault`` says why it does not, empty while it does."""

    def __init__(self, engine: Engine, filters: Json, clock: Clock, back: Callable[[], Awaitable[None]]) -> None:
        self._engine = engine
        self._filters = filters
        self._clock = clock
        self._back = back
        self._nursery = Nursery(clock)
        self._news: dict[str, asyncio.Event] = {}
        self.fault = f"the container engine at {engine.address.url} was not asked yet"
        self.engine_id: str | None = None

    async def begin(self) -> None:
        """Returns after the first look, answered or not."""
        await self.look()
        self._nursery.keep("pulse of the container engine", self._follow_pulse)
        self._nursery.keep("events of the container engine", self._follow_events)

    async def close(self) -> None:
        await self._nursery.close()
        await asyncio.to_thread(self._engine.close)

    def news_of(self, container_id: str) -> asyncio.Event:
        """Set whenever it is worth a look whether that container has ended."""
        return self._news.setdefault(container_id, asyncio.Event())

    def forget(self, container_id: str) -> None:
        """Nobody waits for news of it any more."""
        self._news.pop(container_id, None)

    async def ask(self, seconds: float, call: Callable[[Api], _T]) -> _T:
        """As ``Engine.do``; a fault is noted."""
        try:
            return await self._engine.do(seconds, call)
        except EngineAway as away:
            self._away(str(away))
            raise

    def _away(self, why: str) -> None:
        if not self.fault:
            log.warning("the container engine is away: what it runs is unknown, and plays on", why=why)
        self.fault = why

    async def _follow_pulse(self) -> None:
        while True:
            await self._clock.sleep(_PULSE)
            await self.look()

    async def look(self) -> bool:
        """Whether it answers, and so whether ``engine_id`` is true now."""
        try:
            self.engine_id = _text((await self._engine.do(_PULSE, lambda api: api.info())).get("ID"))
        except EngineAway as away:
            self._away(str(away))
            return False
        except EngineRefused as refusal:
            self._away(f"the container engine at {self._engine.address.url} is ill: {refusal}")
            return False
        if self.fault:
            log.info("the container engine answers", engine=self.engine_id)
            self.fault = ""
            self._tell_all()
            await self._back()
        return True

    async def _follow_events(self) -> None:
        loop = asyncio.get_running_loop()

        def seen(event: Json) -> None:
            _tell_loop(loop, lambda: self._tell(_text(event.get("id"))))

        while True:
            try:
                await self._engine.listen(self._filters, lambda: _tell_loop(loop, self._tell_all), seen)
            except (EngineAway, EngineRefused) as error:
                log.info("the container engine tells no events", why=str(error))
                await self._clock.sleep(_PULSE)

    def _tell(self, container_id: str) -> None:
        if container_id in self._news:
            self._news[container_id].set()

    def _tell_all(self) -> None:
        for news in self._news.values():
            news.set()

    async def known_engine(self) -> str:
        """Its id. Raises EngineAway while it was never told."""
        if self.engine_id is None:
            await self.look()
        if self.engine_id is None:
            raise EngineAway(self.fault)
        return self.engine_id


def _tell_loop(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(what)
    except RuntimeError:
        return  # the loop has ended: nobody waits


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
