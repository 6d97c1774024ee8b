"""Errors on their way to the supervisor: a problem document (RFC 9457) whose code names exactly one class."""

from typing import Final

from msgspec import Struct

from sidecar.protocol.commands import Refusal
from supervisor.agent.interface import (
    AgentAway,
    EpochUsed,
    NotRunning,
    OtherCluster,
    SidecarBroken,
    SidecarRefused,
    SidecarSilent,
    StaleEpoch,
    StaleTerm,
    StartFailed,
    StillRunning,
    StopUnconfirmed,
)

MEDIA_TYPE: Final = "application/problem+json"

UNKNOWN_SESSION: Final = "unknown_session"
"""The agent was started anew, or has forgotten the session: say hello again."""
DEFECT: Final = "defect"
"""What went wrong is none of the contract's errors."""


class Problem(Struct, frozen=True, omit_defaults=True):
    """The fields after ``hint`` are those of the error that has them."""

    title: str
    status: int
    code: str
    detail: str
    type: str = "about:blank"
    hint: str = ""
    term: int = 0
    seen: int = 0
    highest: int = 0
    epoch: int = 0
    pid: int = 0
    refusal: Refusal | None = None


_CODES: Final[dict[str, tuple[type[Exception], int, tuple[str, ...]]]] = {
    "stale_term": (StaleTerm, 409, ("term", "seen")),
    "stale_epoch": (StaleEpoch, 409, ("highest",)),
    "epoch_used": (EpochUsed, 409, ()),
    "still_running": (StillRunning, 409, ("epoch", "pid")),
    "not_running": (NotRunning, 409, ()),
    "start_failed": (StartFailed, 502, ()),
    "stop_unconfirmed": (StopUnconfirmed, 504, ()),
    "sidecar_refused": (SidecarRefused, 502, ("refusal",)),
    "sidecar_silent": (SidecarSilent, 504, ()),
    "sidecar_broken": (SidecarBroken, 502, ()),
    "other_cluster": (OtherCluster, 409, ()),
    "agent_away": (AgentAway, 503, ()),
    "no_such_file": (FileNotFoundError, 404, ()),
    "disk_failed": (OSError, 500, ()),
    "invalid": (ValueError, 422, ()),
}
"""Code to class, status and the fields that go with it; a class stands before those it derives from."""


def problem_of(error: Exception) -> Problem | None:
    """None for an error that is not part of the contract."""
    for code, (kind, status, fields) in _CODES.items():
        if isinstance(error, kind):
            more = {name: getattr(error, name) for name in fields}
            return Problem(kind.__name__, status, code, str(error), **more)
    return None


def error_of(problem: Problem) -> Exception | None:
    """The very error, with its text and fields; None for a code that is none of the contract's."""
    known = _CODES.get(problem.code)
    if known is None:
        return None
    kind, _, fields = known
    # Without the constructor: those that make their own text do it from more than was sent.
    error = kind.__new__(kind, problem.detail)
    for name in fields:
        setattr(error, name, getattr(problem, name))
    return error
