"""Nodes and their ports as lines of text."""

from urllib.parse import urlsplit

from mcr_console.cli.wording import channel_line, clock, counted
from mcr_console.safe_text import safe
from supervisor.schemas.channel import Channel
from supervisor.schemas.claim import Claim
from supervisor.schemas.node import Device, Node


def node_line(node: Node) -> str:
    """One node, one line: what it is, what it carries, and what is wrong with it."""
    parts = [
        f"{safe(node.name)}: {node.kind}{f', {safe(node.url)}' if node.url else ''}",
        f"{node.channels} of {counted(node.capacity, 'channel')}",
        answer_words(node),
    ]
    if node.encrypted is False and not is_own(node.url):
        parts.append("not encrypted")
    if has_changed(node):
        parts.append("its certificate changed")
    if node.draining:
        parts.append("draining")
    if node.maintenance:
        parts.append("in maintenance")
    if node.is_test:
        parts.append("for drills")
    if node.lost_at is not None:
        parts.append(f"declared dead by {safe(node.lost_by or 'somebody')}")
    if node.engine_fault:
        parts.append(f"its container engine does not answer: {safe(node.engine_fault)}")
    return ", ".join(parts)


def has_changed(node: Node) -> bool:
    """Whether its agent shows another certificate than the one that it is known by."""
    return bool(node.certificate) and node.certificate_seen not in ("", node.certificate)


def is_own(url: str | None) -> bool:
    """Whether it is this machine that listens there: what is said to it goes nowhere."""
    host = urlsplit(url or "").hostname or ""
    return host in ("", "localhost", "::1") or host.startswith("127.")


def answer_words(node: Node) -> str:
    """How it answers, or why it does not."""
    age = None if node.last_answer_age_ms is None else node.last_answer_age_ms / 1000
    fault = f" ({safe(node.fault)})" if node.fault else ""
    match node.state:
        case "answers":
            return "answers" if age is None else f"answered {age:.1f} s ago"
        case "away":
            return f"does not answer{'' if age is None else f' for {clock(age)}'}{fault}: what plays there is unknown"
        case "unseen":
            return f"has not answered yet{fault}"
        case "undriven":
            return "no agent of it is connected to this supervisor"
        case "foreign":
            return f"another machine answers in its place{fault}: mcr node accept trusts it"
        case "other_cluster":
            return "belongs to another cluster, and obeys nobody here: mcr node adopt takes it over, if that is meant"


def node_lines(node: Node, channels: list[Channel]) -> list[str]:
    """Everything that is known of it."""
    lines = [node_line(node)]
    if node.version:
        offset = "" if node.clock_offset_ms is None else f", its clock is {_offset(node.clock_offset_ms)}"
        load = "" if node.load is None else f", load {node.load:.2f}"
        can = ", ".join(node.capabilities) or "nothing"
        lines.append(f"Agent {safe(node.version)}, launcher {node.launcher}, plays {can}{load}{offset}")
    if node.certificate:
        how = "given" if node.certificate_given else "the first that its key vouched for"
        lines.append(f"Certificate {safe(node.certificate)}, {how}")
    if has_changed(node):
        lines.append(f"Now it shows {safe(node.certificate_seen)}, for which its key vouches too")
    if node.lost_at is not None:
        why = safe(node.lost_reason or "no reason given")
        lines.append(f"Declared dead {node.lost_at:%Y-%m-%d %H:%M:%S} UTC by {safe(node.lost_by or 'somebody')}: {why}")
    lines += [device_line(device) for device in node.devices]
    lines += [channel_line(channel) for channel in channels]
    if not channels:
        lines.append("Nothing plays there.")
    return lines


def device_line(device: Device) -> str:
    """``Port 1 DeckLink Duo 2: held by channel News since …, in use``."""
    held = device.held_by
    who = (
        "free"
        if held is None
        else f"held by {held.owner_kind} {safe(held.owner_name or held.owner_id)}{_doubt(held.state)} "
        f"since {held.since:%Y-%m-%d %H:%M:%S} UTC"
    )
    card = f" ({safe(device.persistent_id)})" if device.persistent_id else ""
    foreign = ", but a program that is not ours has it open" if device.busy and held is None else ""
    return f"Port {device.index} {safe(device.model)}{card}: {who}{', in use' if device.busy and held else ''}{foreign}"


def claim_line(claim: Claim) -> str:
    """``1c0e6fd9 node-b port 1: channel News, epoch 3, since …``."""
    owner = f"{claim.owner_kind} {safe(claim.owner_name or claim.owner_id)}"
    card = "" if claim.port.startswith("index:") else f" (card {safe(claim.port)})"
    since = f"{claim.since:%Y-%m-%d %H:%M:%S} UTC"
    line = f"{claim.id[-8:]} {safe(claim.node_name)} port {claim.device_index}{card}: {owner}, epoch {claim.epoch}"
    if claim.state != "released":
        return f"{line}{_doubt(claim.state)}, since {since}"
    why = f": {safe(claim.released_reason)}" if claim.released_reason else ""
    at = "" if claim.released_at is None else f" {claim.released_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{line}, released{at} by {safe(claim.released_by or 'nobody')}{why}"


def _doubt(state: str) -> str:
    return ", which nobody can confirm: it blocks" if state == "unknown" else ""


def _offset(milliseconds: int) -> str:
    if abs(milliseconds) < 20:
        return "right"
    return f"{abs(milliseconds)} ms {'ahead' if milliseconds > 0 else 'behind'}"
