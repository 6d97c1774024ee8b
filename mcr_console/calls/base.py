"""How the calls of every noun are sent."""

from typing import Final, TypeVar

from mcr_console.http import Http, Query, read_as
from supervisor.schemas.base import Page, Schema

T = TypeVar("T", bound=Schema)

API: Final = "/api/v1"
WHOLE_PAGE: Final = 200
COMMAND_S: Final = 10.0
"""Deadline of a command: longer than the supervisor's own wait for a sidecar, so that its reason gets here first."""


class Calls:
    """Every method raises ``ApiProblem`` (the supervisor said no) or ``Unreachable``, both ``ClientError``.

    ``rev`` is the ``rev`` (of a playlist the ``revision``) that was seen: 409 when it has moved on.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    async def _send(
        self,
        method: str,
        path: str,
        answer: type[T],
        body: Schema | None = None,
        *,
        rev: int | None = None,
        query: Query | None = None,
        deadline_s: float = 5.0,
    ) -> T:
        content = await self._http.call(method, API + path, body=body, rev=rev, query=query, deadline_s=deadline_s)
        return read_as(answer, content)

    async def _all(self, path: str, item: type[T], *, query: Query | None = None) -> tuple[T, ...]:
        found: list[T] = []
        cursor: str | None = None
        shape = Page[item]
        while True:
            page = await self._http.get(
                API + path, shape, query={**(query or {}), "cursor": cursor, "limit": WHOLE_PAGE}
            )
            found.extend(page.items)
            if page.next_cursor is None:
                return tuple(found)
            cursor = page.next_cursor
