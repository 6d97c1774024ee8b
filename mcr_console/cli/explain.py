"""``mcr explain CHANNEL``: why a channel is where it is, and where else it could be."""

import json
from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, with_supervisor
from mcr_console.cli.naming import channel_named
from mcr_console.cli.wording import channel_line, local_time
from mcr_console.client import Client
from mcr_console.drawing.refusals import refusal_words
from mcr_console.http import ApiProblem
from mcr_console.safe_text import safe
from supervisor.schemas.channel import Channel
from supervisor.schemas.explanation import Candidate, Explanation, Placement

_FILES = 5
"""Missing files shown of a node."""


def explain(
    named: Annotated[str, typer.Argument(metavar="CHANNEL", help="Number or name.")], as_json: AsJson = False
) -> None:
    """Say why a channel is where it is: what was decided and why, and where it could go and where not."""

    async def run(client: Client) -> tuple[Channel, Explanation, Placement | None, str]:
        channel = await channel_named(client, named)
        explanation = await client.explain(channel.id)
        try:
            return channel, explanation, await client.placement(channel.id), ""
        except ApiProblem as problem:
            return channel, explanation, None, problem.detail

    channel, explanation, placement, why_none = with_supervisor(run)
    if as_json:
        parts = {"channel": channel, "explanation": explanation, "placement": placement}
        print(json.dumps({name: part and part.model_dump(mode="json") for name, part in parts.items()}, indent=2))
        return
    for line in explanation_lines(channel, explanation, placement, why_none):
        print(line)


def explanation_lines(
    channel: Channel, explanation: Explanation, placement: Placement | None, why_none: str = ""
) -> list[str]:
    """The state in one line, then how it came about, then what could become of it. ``why_none``: of no placement."""
    lines = [channel_line(channel)]
    if not explanation.kept:
        lines.append("From this supervisor's memory: the database is away or has kept nothing.")
    zone = channel.time_zone
    lines += [
        f"{local_time(one.at, zone)} {'' if one.kind == 'decision' else one.kind + ': '}{safe(one.sentence)}"
        for one in explanation.decisions
    ]
    if channel.live.decision and (not explanation.decisions or _last(explanation) != channel.live.decision):
        lines.append(f"Now: {safe(channel.live.decision)}")
    lines += [f"{local_time(one.at, zone)} {one.outcome}: {safe(refusal_words(one))}" for one in explanation.refusals]
    lines += [f"Output {one.kind} {safe(one.url)}".rstrip() + f": {one.words}" for one in explanation.outputs]
    if explanation.hold_failover_by:
        lines.append(
            f"Failover is held by {safe(explanation.hold_failover_by)}: it is not moved. "
            f"mcr channel release-failover {channel.number} takes that back."
        )
    if placement is None:
        lines.append(f"Where it could go is not known: {safe(why_none)}")
        return lines
    elsewhere = [candidate for candidate in placement.candidates if not candidate.here]
    for candidate in elsewhere:
        lines += candidate_lines(candidate)
    if not elsewhere:
        lines.append("There is no other node that it could go to.")
    if placement.why_not:
        lines.append(f"Nobody can move it by hand now: {safe(placement.why_not)}. {safe(placement.hint)}".rstrip())
    return lines


def candidate_lines(candidate: Candidate) -> list[str]:
    """One node: whether the channel could go there, and each file that it would miss."""
    name = safe(candidate.node_name)
    if not candidate.why_not and not candidate.missing:
        return [f"Could go to {name}."]
    lines = [f"Could not go to {name}: {safe(candidate.why_not or 'media is missing there')}"]
    missing = sorted(candidate.missing.items())
    lines += [f"  missing on {name}: {safe(path)}: {safe(why)}" for path, why in missing[:_FILES]]
    if len(missing) > _FILES:
        lines.append(f"  and {len(missing) - _FILES} more")
    return lines


def _last(explanation: Explanation) -> str:
    return next((one.sentence for one in reversed(explanation.decisions) if one.kind == "decision"), "")
