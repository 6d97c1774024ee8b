"""``mcr audit``: who did what, from where, to what, and what came of it."""

import json
import sys
from datetime import datetime
from typing import Annotated, Literal

import typer

from mcr_console.cli.asrun import parse_instant
from mcr_console.cli.commands import AsJson, with_supervisor
from mcr_console.people import People
from mcr_console.safe_text import safe
from supervisor.schemas.audit import AuditRow


def audit(
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this principal.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, e.g. take.")] = None,
    target: Annotated[str | None, typer.Option(help="Only where the target holds this text.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused.")] = False,
    since: Annotated[
        datetime | None, typer.Option("--from", parser=parse_instant, metavar="TIME", help="From this time on.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", parser=parse_instant, metavar="TIME", help="Before this time.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The last so many.")] = 100,
    export: Annotated[str | None, typer.Option(metavar="csv|jsonl", help="Print the whole span as a file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print who did what and what came of it, oldest first; with --export all of it. For admins."""
    span = {"from": since and since.isoformat(), "to": until and until.isoformat()}
    if export is not None:
        if export not in {"csv", "jsonl"}:
            raise typer.BadParameter("--export takes csv or jsonl")
        form: Literal["csv", "jsonl"] = "csv" if export == "csv" else "jsonl"
        content = with_supervisor(lambda client: People(client).audit_export(form, span["from"], span["to"]))
        sys.stdout.buffer.write(content)
        return
    filters = {**span, "principal": by, "action": action, "target": target, "outcome": "refused" if refused else None}
    for row in reversed(with_supervisor(lambda client: People(client).audit(filters, limit))):
        print(row.model_dump_json() if as_json else line(row))


def line(row: AuditRow) -> str:
    """One row, one line, in UTC."""
    detail = f" {safe(json.dumps(row.detail, sort_keys=True))}" if row.detail else ""
    where = f"{row.at:%Y-%m-%d %H:%M:%S} UTC {safe(row.principal)} by {safe(row.origin)}"
    return f"{where}: {row.action} {safe(row.target)} {row.outcome}{detail}".replace("  ", " ")
