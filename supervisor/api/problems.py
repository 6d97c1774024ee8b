"""Every error becomes one problem document (RFC 9457), here and nowhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, cast
from uuid import uuid4

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from db.errors import (
    InUse,
    Missing,
    NotLeader,
    PortTaken,
    StaleRev,
    StaleRevision,
    StoreError,
    StoreUnavailable,
    Taken,
)
from supervisor.errors import Conflict, McrError, TooMany, Unauthenticated, Unavailable
from supervisor.schemas.base import Problem

MEDIA_TYPE: Final = "application/problem+json"
RETRY_S: Final = 2

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A problem document and the headers that go with it."""

    problem: Problem
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def failure_of(error: Exception) -> Failure:
    """What a caller is told of ``error``. What nobody foresaw gets an incident id, which the log has with the rest."""
    match error:
        case McrError():
            return _of_ours(error)
        case StoreError():
            return _of_store(error)
        case RequestValidationError():
            return _of_validation(cast("Sequence[Mapping[str, Any]]", error.errors()))
        case HTTPException():
            return _of_http(error)
        case _:
            incident = uuid4().hex[:12]
            _log.error("incident", incident=incident, exc_info=error)
            return _failure(
                500,
                "internal",
                "Something failed here",
                f"incident {incident}",
                hint="The supervisor's log has it under this incident id.",
                extra={"incident": incident},
            )


def _failure(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    hint: str = "",
    extra: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Failure:
    problem = Problem(title=title, status=status, code=code, detail=detail, hint=hint, extra=dict(extra or {}))
    return Failure(problem, headers or {})


def _of_ours(error: McrError) -> Failure:
    headers: dict[str, str] = {}
    code = error.conflict if isinstance(error, Conflict) else error.code
    if isinstance(error, Unavailable | TooMany):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="mcr"'
    return _failure(error.status, code, error.title, error.detail, hint=error.hint, extra=error.extra, headers=headers)


def _of_store(error: StoreError) -> Failure:
    text = str(error)
    match error:
        case Missing():
            return _failure(404, "not_found", "No such thing", text)
        case StaleRev():
            return _failure(
                409, "stale_rev", "It was changed meanwhile", text, hint="Read it again, then decide again."
            )
        case StaleRevision():
            return _failure(
                409, "stale_revision", "The playlist moved on", text, hint="Read it again, then decide again."
            )
        case Taken():
            return _failure(409, "taken", "Already taken", text, hint="Choose another.")
        case InUse():
            return _failure(409, "in_use", "Still in use", text)
        case PortTaken():
            return _of_port(error)
        case NotLeader() | StoreUnavailable():
            title = "No database" if isinstance(error, StoreUnavailable) else "Not the leader"
            return _failure(503, "unavailable", title, text, headers={"Retry-After": str(RETRY_S)})
        case _:
            incident = uuid4().hex[:12]
            _log.error("incident", incident=incident, exc_info=error)
            return _failure(500, "internal", "Something failed here", f"incident {incident}")


def _of_port(error: PortTaken) -> Failure:
    """Promise P3: whoever is refused is told who has the port."""
    return _failure(
        409,
        "port_taken",
        "The port has an owner",
        str(error),
        hint="Stop its owner, or choose another port. mcr node claims shows every port that is held.",
        extra={
            "owner_kind": error.owner_kind,
            "owner_id": error.owner_id,
            "owner_name": error.owner_name,
            "node_id": error.node_id,
            "node_name": error.node_name,
            "port": error.port,
            "device_index": error.device_index,
            "since": error.since.isoformat(),
            "reserved_for": error.reserved_for or None,
            "reserved_until": error.reserved_until.isoformat() if error.reserved_until else None,
        },
    )


def _of_validation(errors: Sequence[Mapping[str, Any]]) -> Failure:
    """Names the fields and what is wrong with them; what was sent is not repeated."""
    faults = [{"at": ".".join(str(part) for part in error["loc"]), "says": str(error["msg"])} for error in errors[:20]]
    detail = "; ".join(f"{fault['at']}: {fault['says']}" for fault in faults)
    return _failure(422, "invalid", "Cannot be used", detail, extra={"faults": faults})


def _of_http(error: HTTPException) -> Failure:
    if error.status_code == 400:  # the framework's word for a body that is not even text
        return _failure(422, "invalid", "Cannot be used", "the body is not JSON in UTF-8")
    codes = {404: "not_found", 405: "method_not_allowed", 408: "too_slow", 413: "too_large"}
    title = HTTPStatus(error.status_code).phrase
    return _failure(
        error.status_code,
        codes.get(error.status_code, "refused"),
        title,
        str(error.detail),
        headers=error.headers or {},
    )


def response_of(failure: Failure) -> Response:
    """The problem document as it is sent."""
    return JSONResponse(
        failure.problem.model_dump(mode="json"),
        status_code=failure.problem.status,
        headers=dict(failure.headers),
        media_type=MEDIA_TYPE,
    )


def install(app: FastAPI) -> None:
    """Makes ``app`` answer every error this way, also of paths that it does not have."""

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code in {404, 405} and _is_nobody(request):
            error = Unauthenticated("this call names nobody")
        return response_of(failure_of(error))

    for kind in (McrError, StoreError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


def _is_nobody(request: Request) -> bool:
    return getattr(request.state, "principal", None) is None


ANSWERS: Final[Mapping[int, str]] = {
    401: "No principal: the token is missing or wrong.",
    403: "The principal's role or grants have not this permission or right, or `Host` is none of ours.",
    404: "No such thing, or not in a project of the principal.",
    408: "The body was not here within 30 s.",
    409: "Conflicts with what is: `code` says with what, and `detail` names it.",
    413: "The body is larger than 4 MiB.",
    422: "Cannot be used: `detail` names field and reason.",
    428: "`If-Match` with the rev that was seen is missing.",
    429: "Too many calls without a right token from this address; `Retry-After` says when to come again.",
    500: "Failed here; `detail` has the incident id.",
    502: "The sidecar or its engine failed.",
    503: "No leader, no database or too much at once; `Retry-After` says when to come again.",
    504: "The sidecar did not answer in time.",
}
"""What each status says, for OpenAPI."""


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for OpenAPI: those given, and those that any may have."""
    return {status: {"description": ANSWERS[status]} for status in sorted({*statuses, 401, 403, 422, 429, 500, 503})}
