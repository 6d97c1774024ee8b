"""The bodies. What the contract's own dataclasses say well enough is sent as they are."""

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from sidecar.protocol.asrun import decode_line
from sidecar.protocol.channel import LogoOverride, Look, Output, Playlist, ResumePoint
from sidecar.protocol.commands import CommandId
from supervisor.agent.interface import (
    Adjust,
    Arm,
    Cue,
    Drop,
    JournalLine,
    JournalPage,
    LeaseRound,
    Order,
    Replace,
    Said,
    SetOutputs,
    ShowLogo,
    Transport,
    TransportVerb,
)

Hex: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
ClusterId: TypeAlias = Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?$")]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=60)]


class Hello(Struct, frozen=True):
    """A supervisor that wants a session: ``mac`` proves that it has the node's key.

    ``cluster`` is on whose behalf it speaks in that session, and ``cluster_mac`` that it said so; both empty from who
    knows of none. Agents of an older version read neither.
    """

    protocol: int
    node: Annotated[str, Meta(max_length=200)]
    nonce: Hex
    mac: str
    cluster: ClusterId = ""
    cluster_mac: str = ""


class Welcome(Struct, frozen=True, omit_defaults=True):
    """``mac`` proves that the agent has the key too, and that ``certificate``, by its fingerprint, is its own."""

    session: Hex
    nonce: Hex
    mac: str
    certificate: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$")] = ""


class TransportSaid(Struct, frozen=True, tag="transport"):
    verb: TransportVerb
    expect_item_id: str | None = None


class CueSaid(Struct, frozen=True, tag="cue"):
    item_id: str | None


class AdjustSaid(Struct, frozen=True, tag="adjust"):
    ms: int
    expect_item_id: str | None = None


class DropSaid(Struct, frozen=True, tag="drop"):
    item_id: str
    is_dropped: bool


class LogoSaid(Struct, frozen=True, tag="logo"):
    show: LogoOverride


class ArmSaid(Struct, frozen=True, tag="arm"):
    nonce: str
    resume: ResumePoint | None = None
    resume_at: Annotated[datetime, Meta(tz=True)] | None = None


class ReplaceSaid(Struct, frozen=True, tag="replace", omit_defaults=True):
    playlist: Playlist
    look: Look | None = None


class OutputsSaid(Struct, frozen=True, tag="outputs"):
    outputs: tuple[Output, ...]


SaidShape: TypeAlias = TransportSaid | CueSaid | LogoSaid | AdjustSaid | DropSaid | ArmSaid | ReplaceSaid | OutputsSaid


class CommandIn(Struct, frozen=True):
    """An ``Order``; a union of dataclasses has no form in JSON, so that what is said has a tag."""

    channel_id: str
    epoch: int
    term: int
    command_id: CommandId
    by: str
    said: SaidShape
    timeout: Seconds

    @classmethod
    def of(cls, order: Order, timeout: float) -> "CommandIn":
        said = _shape_of(order.said)
        return cls(order.channel_id, order.epoch, order.term, order.command_id, order.by, said, timeout)

    def order(self) -> Order:
        return Order(self.channel_id, self.epoch, self.term, self.command_id, self.by, _said_of(self.said))


def _shape_of(said: Said) -> SaidShape:
    match said:
        case Transport(verb, expect_item_id):
            return TransportSaid(verb, expect_item_id)
        case Cue(item_id):
            return CueSaid(item_id)
        case Adjust(ms, expect_item_id):
            return AdjustSaid(ms, expect_item_id)
        case Drop(item_id, is_dropped):
            return DropSaid(item_id, is_dropped)
        case ShowLogo(show):
            return LogoSaid(show)
        case Arm(nonce, resume, resume_at):
            return ArmSaid(nonce, resume, resume_at)
        case Replace(playlist, look):
            return ReplaceSaid(playlist, look)
        case SetOutputs(outputs):
            return OutputsSaid(outputs)


def _said_of(shape: SaidShape) -> Said:
    match shape:
        case TransportSaid(verb, expect_item_id):
            return Transport(verb, expect_item_id)
        case CueSaid(item_id):
            return Cue(item_id)
        case AdjustSaid(ms, expect_item_id):
            return Adjust(ms, expect_item_id)
        case DropSaid(item_id, is_dropped):
            return Drop(item_id, is_dropped)
        case LogoSaid(show):
            return ShowLogo(show)
        case ArmSaid(nonce, resume, resume_at):
            return Arm(nonce, resume, resume_at)
        case ReplaceSaid(playlist, look):
            return Replace(playlist, look)
        case OutputsSaid(outputs):
            return SetOutputs(outputs)


class ReportIn(Struct, frozen=True):
    """The arguments of ``report``."""

    seen: int
    wait: Seconds
    leases: LeaseRound | None = None


class SidecarIn(Struct, frozen=True):
    channel_id: str
    epoch: int


class MediaIn(Struct, frozen=True):
    roots: Annotated[tuple[str, ...], Meta(max_length=64)]
    paths: Annotated[tuple[str, ...], Meta(max_length=5_000)]


class LiveIn(Struct, frozen=True):
    channel_id: str
    path: str


class RunsIn(Struct, frozen=True):
    known: dict[str, frozenset[str]]


class AsRunIn(Struct, frozen=True):
    channel_id: str
    run_id: str
    after: Annotated[int, Meta(ge=0)]
    limit: Annotated[int, Meta(ge=1, le=100_000)]


class PageOut(Struct, frozen=True):
    """A ``JournalPage``: the records are what their lines say, with the journal's own checksum in each."""

    run_id: str
    lines: tuple[str, ...]
    last_seq: int
    alive: bool

    @classmethod
    def of(cls, page: JournalPage, most: int) -> "PageOut":
        """Its first lines, as many as have room in ``most`` bytes, and one at least: the reader asks for the rest."""
        lines: list[str] = []
        room = most
        for line in page.lines:
            room -= len(line.line)
            if lines and room < 0:
                break
            lines.append(line.line.decode())
        return cls(page.run_id, tuple(lines), page.last_seq, page.alive)

    def page(self) -> JournalPage:
        """Raises TornLine."""
        lines = [line.encode() for line in self.lines]
        return JournalPage(
            self.run_id, tuple(JournalLine(line, decode_line(line)) for line in lines), self.last_seq, self.alive
        )


encode = msgspec.json.encode
