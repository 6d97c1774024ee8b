"""What may be said to a sidecar, and how it answers.

Every command is a ``POST`` with a bearer token and one of these bodies. A repeated ``command_id``
gets the first answer and is not done again. Refusals are RFC 9457 problems with the ``code`` given
in ``Refusal``; a sidecar never answers a command of another epoch than its own.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sidecar.protocol.channel import Epoch, LogoOverride, Look, Output, Playlist, ResumePoint
from sidecar.protocol.status import Status

CommandId = Annotated[str, Meta(min_length=8, max_length=64)]


class Command(Struct, frozen=True, forbid_unknown_fields=True):
    """``/take /skip /play /pause /resume /hold /recue /standby /rejoin /stop``.

    ``by`` is the principal whose command it is; it goes into the as-run as the cause.

    * ``take`` cuts now to the cued item, else to the next, also out of a hold. ``skip`` ignores the cue.
    * ``hold`` sets: do not follow on after this item. ``play`` releases a hold that was only set or that waits.
    * ``pause`` freezes the picture, ``resume`` lets it run on from the same frame.
    * ``recue`` makes the item on air, or that aired last, come next once more.
    * ``standby`` cuts to the standby clip or the slate, ``rejoin`` returns to what should be on air.
    * ``stop`` ends the run cleanly: playlist end written, journal closed, process exits 0.
    """

    command_id: CommandId
    epoch: Epoch
    by: str = ""


class TakeCommand(Struct, frozen=True, forbid_unknown_fields=True):
    """``/take``. ``expect_item_id`` fixes the target at the key press: 409 when something else would go to air."""

    command_id: CommandId
    epoch: Epoch
    by: str = ""
    expect_item_id: str | None = None


class CueCommand(Struct, frozen=True, forbid_unknown_fields=True):
    """``/cue``: make ``item_id`` what the next take cuts to; ``None`` clears the cue."""

    command_id: CommandId
    epoch: Epoch
    item_id: str | None
    by: str = ""


class LogoCommand(Struct, frozen=True, forbid_unknown_fields=True):
    """``/logo``: the logo on or off until another item of the list begins; ``auto``: as item and channel say."""

    command_id: CommandId
    epoch: Epoch
    show: LogoOverride
    by: str = ""


class AdjustCommand(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``/adjust``: make the item on air longer, or shorter, by ``ms``; at the shortest it ends now.

    ``expect_item_id`` fixes the item at the key press: 409 when another is on air by then.
    """

    command_id: CommandId
    epoch: Epoch
    ms: Annotated[int, Meta(ge=-3_600_000, le=3_600_000)]
    by: str = ""
    expect_item_id: str | None = None


class DropCommand(Struct, frozen=True, forbid_unknown_fields=True):
    """``/drop``: the item will not air; ``/undrop``: it will after all."""

    command_id: CommandId
    epoch: Epoch
    item_id: str
    by: str = ""


class ArmCommand(Struct, frozen=True, forbid_unknown_fields=True):
    """``/arm``: enter the air. ``nonce`` is of a status answered by this process less than 6 s ago.

    ``resume`` is where the list begins; None: where the document said. With ``resume_at``, the UTC instant at which
    that frame is due, the list goes on from there by this node's clock, and begins with the frame due when it enters.
    A ``resume`` that names no item of the list is as none.
    """

    command_id: CommandId
    epoch: Epoch
    nonce: str
    by: str = ""
    resume: ResumePoint | None = None
    resume_at: Annotated[datetime, Meta(tz=True)] | None = None


class LeaseCommand(Struct, frozen=True, forbid_unknown_fields=True):
    """``/lease``: extend the lease to (issue of ``nonce`` + ``ttl_ms``) on the sidecar's monotonic clock."""

    command_id: CommandId
    epoch: Epoch
    nonce: str
    ttl_ms: Annotated[int, Meta(ge=1_000, le=60_000)]


class PlaylistCommand(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``PUT /playlist``: replace what comes; what is on air runs on untouched, by its item id. ``look``: logo and
    watching from now on, where they change."""

    command_id: CommandId
    epoch: Epoch
    playlist: Playlist
    by: str = ""
    look: Look | None = None


class OutputsCommand(Struct, frozen=True, forbid_unknown_fields=True):
    """``PUT /outputs``: what the programme goes to from now on. What is in both lists, word for word, runs on
    untouched; others end cleanly, or open. At most 16; previews stay as they are."""

    command_id: CommandId
    epoch: Epoch
    outputs: Annotated[tuple[Output, ...], Meta(max_length=16)]
    by: str = ""


class CommandReply(Struct, frozen=True):
    """``frame`` is the output frame that first shows the effect, handed to the encoder ``took_ms`` after arrival.

    ``frame`` is None for a command without a picture (cue, hold, lease, playlist). ``status`` is what ``/status`` would
    answer now, with a fresh nonce, so that nobody has to ask what came of it; None for what concerns no picture (lease,
    outputs, stop), of a recorder or a CasparCG channel, and of a sidecar from before this word. Who repeats a
    ``command_id`` gets the first answer with the status as it is by then.
    """

    command_id: str
    epoch: Epoch
    done: str  # a sentence for the operator: "on air: headlines_1400"
    frame: int | None
    took_ms: float
    item_id: str | None = None
    status: Status | None = None


RefusalCode = Literal[
    "unauthorized",  # 401
    "stale_epoch",  # 409: names both epochs
    "stale_nonce",  # 409
    "not_armed",  # 409: the command needs a channel that is on air
    "take_guard",  # 409: a second take within a second
    "nothing_to_take",  # 409
    "target_changed",  # 409: something else than expect_item_id would go to air, or is on air
    "target_not_ready",  # 409: says how long it still takes
    "no_such_item",  # 422
    "no_logo",  # 409: the channel has none, or it cannot be read
    "stale_revision",  # 409: a playlist revision lower than the one held
    "invalid",  # 422
    "busy",  # 503: the command queue is full
    "engine_failed",  # 502
]


class Refusal(Struct, frozen=True):
    """``application/problem+json``."""

    title: str
    status: int
    code: RefusalCode
    detail: str
    hint: str = ""
    type: str = "about:blank"
