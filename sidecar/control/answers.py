"""What a request is answered with, and how a repeated command gets the first answer."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from starlette.responses import Response

from sidecar.protocol.commands import Refusal, RefusalCode

_MOST_KEPT = 1024

STATUS: Final[dict[RefusalCode, int]] = {
    "unauthorized": 401,
    "stale_epoch": 409,
    "stale_nonce": 409,
    "not_armed": 409,
    "take_guard": 409,
    "nothing_to_take": 409,
    "target_changed": 409,
    "target_not_ready": 409,
    "no_such_item": 422,
    "no_logo": 409,
    "stale_revision": 409,
    "invalid": 422,
    "busy": 503,
    "engine_failed": 502,
}
_TITLES: Final[dict[RefusalCode, str]] = {
    "unauthorized": "Not with this token",
    "stale_epoch": "Another epoch",
    "stale_nonce": "Too late",
    "not_armed": "Not on air",
    "take_guard": "Too soon after the last take",
    "nothing_to_take": "Nothing there to act on",
    "target_changed": "Something else would go to air",
    "target_not_ready": "Not ready",
    "no_such_item": "No such item",
    "no_logo": "No logo to show",
    "stale_revision": "Older than what is held",
    "invalid": "Cannot be used",
    "busy": "Not now",
    "engine_failed": "The playout failed",
}


class Refuse(Exception):
    """Becomes a problem document. ``done_nothing``: the same command id may be tried again and is then done."""

    def __init__(
        self, code: RefusalCode, detail: str, *, hint: str = "", status: int | None = None, done_nothing: bool = False
    ) -> None:
        super().__init__(detail)
        self.refusal = Refusal(_TITLES[code], status or STATUS[code], code, detail, hint)
        self.done_nothing = done_nothing


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer that can be given again."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def response(self) -> Response:
        return Response(self.body, self.status, {"Cache-Control": "no-store"} | self.headers, self.media_type)


def answer(value: msgspec.Struct) -> Answer:
    return Answer(200, msgspec.json.encode(value))


def refusal_answer(refused: Refuse) -> Answer:
    refusal = refused.refusal
    headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
    if refusal.status == 503:
        headers = {"Retry-After": "1"}
    return Answer(refusal.status, msgspec.json.encode(refusal), "application/problem+json", headers)


class FirstAnswers:
    """The last thousand commands by id: a repeat waits for, and gets, the first one's answer, refusals included.

    A command runs to its end even if whoever asked has gone.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, asyncio.Task[Answer] | Answer] = OrderedDict()
        """A task only while it runs: with all that it holds it is ten times as large as its answer."""

    async def once(self, command_id: str, do: Callable[[], Awaitable[Answer]]) -> Answer:
        known = self._known.get(command_id)
        if known is None:
            known = asyncio.create_task(self._do(command_id, do), name=f"command {command_id}")
            self._known[command_id] = known
            self._drop_oldest()
        self._known.move_to_end(command_id)
        return known if isinstance(known, Answer) else await asyncio.shield(known)

    async def _do(self, command_id: str, do: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            given = await do()
        except Refuse as refused:
            given = refusal_answer(refused)
            if refused.done_nothing:
                self._known.pop(command_id, None)
                return given
        self._known[command_id] = given
        return given

    def _drop_oldest(self) -> None:
        for command_id, known in list(self._known.items()):
            if len(self._known) <= _MOST_KEPT:
                return
            if isinstance(known, Answer) or known.done():
                del self._known[command_id]
