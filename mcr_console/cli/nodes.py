"""``mcr node …``: the machines that play."""

import os
import sys
from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, Sure, confirm, group, home, print_json, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import node_named, pick_node
from mcr_console.cli.node_lines import claim_line, node_line, node_lines
from mcr_console.cli.what_if import what_if
from mcr_console.cli.wording import counted
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.channel import Channel
from supervisor.schemas.claim import Claim
from supervisor.schemas.node import Node, NodeIn, NodePatch

app = group("The machines that play. A node is named by its name.")

Named = Annotated[str, typer.Argument(metavar="NODE", help="Its name.")]
Reason = Annotated[str, typer.Option(help="How you know; it is kept with your name.")]
Print = Annotated[
    str | None, typer.Option(help="SHA-256 of the only certificate that is taken there, as mcr agent says it.")
]
Plain = Annotated[
    bool, typer.Option("--insecure-http", help="An http:// URL beyond loopback is meant: others may read what is said.")
]
Capacity = Annotated[int | None, typer.Option(min=1, max=1000, help="How many channels it may play.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all nodes, one line each."""
    nodes = with_supervisor(Client.nodes)
    if as_json:
        print_json(nodes)
        return
    for node in nodes:
        print(node_line(node))


@app.command()
def show(named: Named, as_json: AsJson = False) -> None:
    """Show a node: its agent, its cards with who holds them, and what plays there."""

    async def run(client: Client) -> tuple[Node, tuple[Channel, ...]]:
        return await node_named(client, named), await client.channels()

    node, channels = with_supervisor(run)
    if as_json:
        print(node.model_dump_json(indent=2))
        return
    for line in node_lines(node, _on(node, channels)):
        print(line)


app.command("what-if")(what_if)


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="Where its agent listens, e.g. https://10.0.0.7:6271.")],
    capacity: Capacity = None,
    fingerprint: Print = None,
    insecure_http: Plain = False,
    as_json: AsJson = False,
) -> None:
    """Add another machine. Run mcr agent there, with the key that mcr node key NAME prints here."""

    async def run(client: Client) -> Node:
        values = NodeIn(name=name, url=url, fingerprint=_digits(fingerprint), insecure_http=insecure_http)
        if capacity is not None:
            values = values.model_copy(update={"capacity": capacity})
        return await client.create_node(values)

    node = with_supervisor(run)
    print(node.model_dump_json(indent=2) if as_json else node_line(node))
    if not as_json:
        print(f"mcr node key {safe(node.name)} prints the key that its agent needs.")
        if not node.certificate and url.startswith("https:"):
            print(f"The first certificate for which that key vouches is trusted: mcr node show {safe(node.name)}")


@app.command("set")
def set_(
    named: Named,
    name: Annotated[str | None, typer.Option(help="A new name. Its agent then needs the key of that name.")] = None,
    url: Annotated[str | None, typer.Option(help="Where its agent listens now.")] = None,
    fingerprint: Annotated[
        str | None,
        typer.Option(help="SHA-256 of the only certificate that is taken there; '' takes the first that is seen."),
    ] = None,
    insecure_http: Plain = False,
    capacity: Capacity = None,
    is_test: Annotated[
        bool | None, typer.Option("--test/--no-test", help="There to be tried: mcr drill may take it away.")
    ] = None,
) -> None:
    """Change a node's name, url, certificate or capacity, or whether it is there for drills."""
    certificate = None if fingerprint is None else _digits(fingerprint)
    given = {"name": name, "url": url, "fingerprint": certificate, "capacity": capacity, "is_test": is_test}
    changes = {what: value for what, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("say what to change: --name, --url, --fingerprint, --capacity or --test")
    print(node_line(_changed(named, NodePatch.model_validate(changes | {"insecure_http": insecure_http}))))


@app.command()
def drain(named: Named) -> None:
    """Give it no new channels. What plays there plays on."""
    print(node_line(_changed(named, NodePatch(draining=True))))


@app.command()
def undrain(named: Named) -> None:
    """Let it get new channels again."""
    print(node_line(_changed(named, NodePatch(draining=False))))


@app.command()
def maintenance(
    named: Named, off: Annotated[bool, typer.Option("--off", help="It is over.")] = False, yes: Sure = False
) -> None:
    """Empty a node: its channels are moved to other nodes, those that can be. Asks first."""

    async def run(client: Client) -> Node:
        node = await node_named(client, named)
        if not off and not node.maintenance:
            there = _on(node, await client.channels())
            what = (
                f"{counted(len(there), 'channel')} will be moved off it: {_names(there)}." if there else "It is empty."
            )
            confirm(f"Put {node.name} in maintenance? {what}", yes=yes)
        return await client.update_node(node.id, node.rev, NodePatch(maintenance=not off))

    print(node_line(with_supervisor(run)))


@app.command()
def remove(named: Named, yes: Sure = False) -> None:
    """Remove a node on which no channel is or wants to be. What runs there is not stopped."""

    async def run(client: Client) -> str:
        node = await node_named(client, named)
        confirm(f"Remove the node {node.name}? Nothing is stopped there.", yes=yes)
        await client.delete_node(node.id, node.rev)
        return f"{safe(node.name)} is removed."

    print(with_supervisor(run))


@app.command()
def lost(named: Named, reason: Reason, yes: Sure = False) -> None:
    """Say that a node is dead: its channels start elsewhere at once, without waiting. Asks first.

    Only for who knows that the machine is off. If it lives, its channels are on air twice.
    """

    async def run(client: Client) -> Node:
        node = await node_named(client, named)
        there = _on(node, await client.channels())
        moved = f"{counted(len(there), 'channel')} will start elsewhere without waiting: {_names(there)}"
        what = moved if there else "No channel is placed there"
        confirm(
            f"Is the machine of {node.name} OFF? {what}. If it still sends, they are ON AIR TWICE. Its ports stay "
            "claimed until each is released.",
            yes=yes,
        )
        return await client.declare_lost(node.id, reason)

    print(node_line(with_supervisor(run)))


@app.command()
def accept(named: Named, yes: Sure = False) -> None:
    """Trust the new machine that answers in a node's place. Asks first."""

    async def run(client: Client) -> Node:
        node = await node_named(client, named)
        confirm(
            f"Does the machine that answers at {node.url} take the place of {node.name} for good? What ran on the old "
            "one is taken for gone: make sure that it is off.",
            yes=yes,
        )
        return await client.accept_node(node.id)

    print(node_line(with_supervisor(run)))


@app.command()
def adopt(named: Named, yes: Sure = False) -> None:
    """Take over a node that belongs to another cluster: it obeys this one from then on. Asks first.

    After a restore, where the restored cluster takes the place of the one that is gone.
    """

    async def run(client: Client) -> Node:
        node = await node_named(client, named)
        confirm(
            f"Is {node.name} to belong to this cluster? The one that commands it now loses it, with all that plays "
            "there: make sure that this is no copy for a trial.",
            yes=yes,
        )
        return await client.adopt_node(node.id)

    print(node_line(with_supervisor(run)))


@app.command()
def claims(
    named: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Only this one's.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Those that are released too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List who owns which DeckLink port, and since when."""

    async def run(client: Client) -> tuple[Claim, ...]:
        found = await client.claims(live_only=not every)
        if named is None:
            return found
        node = pick_node(named, await client.nodes())
        return tuple(claim for claim in found if claim.node_id == node.id)

    found = with_supervisor(run)
    if as_json:
        print_json(found)
        return
    for claim in found:
        print(claim_line(claim))
    if not found:
        print("No port is claimed.")


@app.command()
def release(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="Its id, as mcr node claims shows it, or its end.")],
    reason: Reason,
    yes: Sure = False,
) -> None:
    """Free a port whose owner never confirmed that it let go of it. Asks first."""

    async def run(client: Client) -> Claim:
        found = [one for one in await client.claims() if one.id.endswith(claim.lower())]
        if len(found) != 1:
            title = "Which claim?" if found else "No such claim"
            raise Failure(title, f"{len(found)} live claims end with {claim!r}.", "mcr node claims shows them.")
        (one,) = found
        owner = f"{one.owner_kind} {one.owner_name or one.owner_id}"
        confirm(
            f"Free port {one.device_index} of {one.node_name}, which {owner} holds? If it still plays there, the next "
            "owner takes its picture down.",
            yes=yes,
        )
        return await client.release_claim(one.id, reason)

    print(claim_line(with_supervisor(run)))


@app.command()
def key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The node's name, as the supervisor has it.")],
) -> None:
    """Print the key that the node's agent needs: mcr agent --key-file. Whoever has it can speak as that node."""
    command = [sys.executable, "-P", "-m", "supervisor", "node-key", "--", name]
    sys.stdout.flush()
    os.execve(command[0], command, home().environment())  # noqa: S606 - our own interpreter, no shell


def _digits(fingerprint: str | None) -> str:
    """As others print it too: with colons, in capitals."""
    digits = (fingerprint or "").replace(":", "").strip().lower()
    if digits and (len(digits) != 64 or set(digits) - set("0123456789abcdef")):
        raise typer.BadParameter("a fingerprint is a SHA-256: 64 hexadecimal digits, with colons or without")
    return digits


def _changed(named: str, changes: NodePatch) -> Node:
    async def run(client: Client) -> Node:
        node = await node_named(client, named)
        return await client.update_node(node.id, node.rev, changes)

    return with_supervisor(run)


def _on(node: Node, channels: tuple[Channel, ...]) -> list[Channel]:
    """What is placed there and meant to be on air, by number."""
    there = [channel for channel in channels if channel.live.node_id == node.id and channel.live.phase != "off"]
    return sorted(there, key=lambda channel: channel.number)


def _names(channels: list[Channel]) -> str:
    named = [f"{channel.number} {channel.name}" for channel in channels[:8]]
    more = [f"and {len(channels) - 8} more"] if len(channels) > 8 else []
    return ", ".join([*named, *more])
