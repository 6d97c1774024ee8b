"""``mcr ahead``: what will air and is not as it should be, with when it is needed."""

from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, print_json, with_supervisor
from mcr_console.cli.naming import channel_named
from mcr_console.cli.wording import counted
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.ahead import Ahead, AheadItem


def ahead(
    channel: Annotated[str | None, typer.Argument(metavar="CHANNEL", help="One channel; else all.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=336, help="How far ahead is looked.")] = 24,
    everything: Annotated[bool, typer.Option("--all", help="Also what is only converted on the way.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say of coming items, filler and the STANDBY clip what is missing, silent or otherwise not as it should be."""

    async def run(client: Client) -> list[tuple[str, Ahead]]:
        channels = [await channel_named(client, channel)] if channel else list(await client.channels())
        return [(one.name, await client.ahead(one.id, hours)) for one in channels]

    reports = with_supervisor(run)
    if as_json:
        print_json([report for _, report in reports])
        return
    for name, report in reports:
        for item in report.items:
            findings = [it for it in item.findings if everything or it.severity != "info"]
            for finding in findings:
                print(f"{safe(name)}: {finding.severity:8} {_item(item)}: {safe(finding.text)}")
        print(f"{safe(name)}: {counted(report.checked, 'item')} checked, {_bad(report)} not as they should be")


def _bad(report: Ahead) -> str:
    count = sum(item.severity != "info" for item in report.items)
    return str(count) if count else "none"


def _item(item: AheadItem) -> str:
    house = f" ({safe(item.house_id)})" if item.house_id else ""
    if item.role == "standby":
        return f'needed by now: STANDBY "{safe(item.title)}"{house}'
    if item.role == "filler":
        return f'needed by now: filler {item.position + 1}. "{safe(item.title)}"{house}'
    when = "at a time nobody can tell" if item.needed_by is None else f"by {item.needed_by:%F %T}Z"
    return f'needed {when}: {item.position + 1}. "{safe(item.title)}"{house}'
