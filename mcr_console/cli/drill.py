"""``mcr drill``: makes a fault on purpose, on a test channel or node, and says how long the way back was."""

import sys
from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, Sure, confirm, print_json, with_supervisor
from mcr_console.cli.failures import Exit, Failure
from mcr_console.cli.naming import pick_channel
from mcr_console.cli.progress import poll, waiting
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.drill import Drill, DrilledChannel, DrillIn, DrillKind

OVER_S = 150.0
"""Beyond the fault's own time: longer than the supervisor's own deadlines."""


def drill(
    target: Annotated[
        str, typer.Argument(metavar="CHANNEL|NODE|list", help="A channel's number or name, else a node's name.")
    ],
    kind: Annotated[
        DrillKind | None,
        typer.Option(
            help="kill: ended at once. freeze: stands still. isolate: runs on, and no supervisor hears of it."
        ),
    ] = None,
    seconds: Annotated[int, typer.Option(min=1, max=120, help="How long a freeze or an isolation takes.")] = 10,
    on_air: Annotated[
        bool,
        typer.Option(
            "--yes-on-air",
            help="For what is not marked as a test, or a node where such a thing is; its name is asked for.",
        ),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Of list: the last so many.")] = 20,
    yes: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Kill, freeze or isolate a test channel or node on purpose, measure the recovery, and write it down.

    mcr channel set --test and mcr node set --test mark what is there for it. mcr drill list shows what was measured.
    """
    if target == "list" and kind is None:
        _show(with_supervisor(lambda client: client.drills(limit)), as_json=as_json)
        return
    if kind is None:
        raise typer.BadParameter("say which: --kind kill, freeze or isolate")

    async def run(client: Client) -> Drill:
        target_kind, target_id, name, is_test = await _target(client, target)
        if not on_air:
            confirm(f"{kind.capitalize()} {target_kind} {name} on purpose?", yes=yes)
        values = DrillIn.model_validate({
            "target_kind": target_kind, "target_id": target_id, "kind": kind, "seconds": seconds,
            "on_air_name": _typed(name) if on_air and not (is_test and target_kind == "channel") else None,
        })  # fmt: skip
        begun = await client.make_drill(values)
        async with waiting(f"drill {begun.id}: {kind} {name}"):

            async def over() -> Drill | None:
                return next((it for it in await client.drills(20) if it.id == begun.id and it.state != "running"), None)

            measured = await poll(over, deadline_s=seconds + OVER_S, every_s=0.3)
        if measured is None:
            raise Failure(f"Drill {begun.id} is not over", "It still runs.", "mcr drill list shows it when it is.")
        return measured

    measured = with_supervisor(run)
    _show((measured,), as_json=as_json)
    if measured.state != "back":
        raise typer.Exit(Exit.FAILED)


async def _target(client: Client, named: str) -> tuple[str, str, str, bool]:
    """Kind, id, name and whether it is there for tests. Raises Failure."""
    channels = await client.channels()
    try:
        channel = pick_channel(named, channels)
    except Failure as no_channel:
        node = next((node for node in await client.nodes() if node.name == named), None)
        if node is None:
            raise Failure("No such channel or node", no_channel.detail, no_channel.hint) from None
        return "node", node.id, node.name, node.is_test
    return "channel", channel.id, channel.name, channel.is_test


def _typed(name: str) -> str:
    """What somebody types when asked for the name; read from a pipe as well."""
    print(
        f"{safe(name)} may be ON AIR, or what is there. Type its name to take it off air: ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip()


def _show(drills: tuple[Drill, ...], *, as_json: bool) -> None:
    if as_json:
        print_json(drills)
        return
    for it in drills:
        print("\n".join(lines(it)))
    if not drills:
        print("No drill was made yet.")


def lines(it: Drill) -> list[str]:
    """What was done and by whom, then what became of each channel."""
    how_long = "" if it.kind == "kill" and it.target_kind == "channel" else f" for {it.seconds} s"
    words = {
        "running": "it runs", "back": "back on air", "not_back": "NOT BACK in time",
        "unmeasured": "nothing was measured",
    }  # fmt: skip
    real = "" if it.was_test else ", on air and no test"
    head = (
        f"{it.id}  {it.at:%Y-%m-%d %H:%M:%S} UTC  {it.kind} {it.target_kind} {safe(it.target_name)}{how_long}{real} "
        f"(by {safe(it.by)}): {words[it.state]}"
    )
    alarms = [f"    alarms: {', '.join(it.alarms)}"] if it.alarms else []
    return [head, *(f"    {_channel(one)}" for one in it.channels), *alarms]


def _channel(one: DrilledChannel) -> str:
    if one.back_ms is None:
        return f"{safe(one.name)}: not back"
    lost = "" if one.lost_frames is None else f", {one.lost_frames} frames lost"
    if one.epoch == one.epoch_before:
        return f"{safe(one.name)}: the same run went on{lost}"
    first = "" if one.first_frame_ms is None else f"first new frame after {one.first_frame_ms / 1000:.2f} s, "
    where = "" if one.node_name is None else f" on {safe(one.node_name)}"
    return f"{safe(one.name)}: {first}seen on air after {one.back_ms / 1000:.1f} s{where}{lost}"
