"""``mcr asrun verify | export | service | note | issue``: the log of a broadcast day."""

import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from mcr_console.cli.asrun import parse_instant
from mcr_console.cli.commands import AsJson, print_json, with_supervisor
from mcr_console.cli.failures import Exit, Failure
from mcr_console.cli.naming import is_id, pick_channel
from mcr_console.cli.schema_check import faults_in
from mcr_console.cli.wording import local_time
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.asrun import (
    AsRunIssue,
    AsRunNote,
    AsRunNoteIn,
    AsRunProof,
    AsRunRebuilt,
    ExportFormat,
    ServiceReport,
)
from supervisor.schemas.channel import Channel

_FORMATS: Final[dict[str, ExportFormat]] = {"csv": "csv", "jsonl": "jsonl", "report": "report", "bxf": "bxf"}


def parse_day(text: str) -> date:
    """Raises typer.BadParameter."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"not a day: {text!r}; write 2026-01-31") from error


def parse_format(text: str) -> ExportFormat:
    """Typer has no list of literals. Raises typer.BadParameter."""
    found = _FORMATS.get(text)
    if found is None:
        raise typer.BadParameter(f"not a format: {text!r}; there are {', '.join(_FORMATS)}")
    return found


Named = Annotated[str, typer.Argument(metavar="CHANNEL", help="Number or name; of a deleted one its id.")]
Day = Annotated[
    date | None,
    typer.Option("--day", parser=parse_day, metavar="DATE", help="A broadcast day; the one that runs when left out."),
]
Since = Annotated[
    datetime | None,
    typer.Option("--from", parser=parse_instant, metavar="TIME", help="Instead of a day, with --to."),
]
Until = Annotated[datetime | None, typer.Option("--to", parser=parse_instant, metavar="TIME", help="Up to here.")]


async def _channel(client: Client, named: str) -> tuple[str, Channel | None]:
    channels = await client.channels()
    if is_id(named):
        return named, next((channel for channel in channels if channel.id == named), None)
    found = pick_channel(named, channels)
    return found.id, found


def verify(channel: Named, day: Day = None, since: Since = None, until: Until = None, as_json: AsJson = False) -> None:
    """Prove a day of the log: every frame accounted for, the chain of hashes whole. Exit code 1 when it is not."""

    async def run(client: Client) -> tuple[AsRunProof, Channel | None]:
        channel_id, known = await _channel(client, channel)
        return await client.verify_asrun(channel_id, day=day, since=since, until=until), known

    proof, known = with_supervisor(run)
    if as_json:
        print_json([proof])
    else:
        print("\n".join(proof_lines(proof, known)))
    if not proof.holds:
        raise typer.Exit(Exit.FAILED)


def proof_lines(proof: AsRunProof, channel: Channel | None) -> list[str]:
    """What was proven, then every gap and every fault."""
    zone = channel.time_zone if channel else "UTC"
    lines = [safe(proof.sentence)]
    if proof.inferred_frames:
        lines.append(f"{proof.inferred_frames} frames are inferred: no record proves their end")
    if proof.by_time_frames:
        lines.append(
            f"{proof.by_time_frames} frames are of events whose start or end follows from the time that passed: "
            "the server that plays them told nothing of it"
        )
    if proof.twice_frames:
        lines.append(f"{proof.twice_frames} frames in which more than one run aired")
    lines += [
        f"off air {gap.frames} frames ({gap.seconds:g} s) from {local_time(gap.at, zone)}: {gap.why}"
        for gap in proof.off_air
    ]
    lines += [f"fault: {safe(fault)}" for fault in proof.faults]
    if proof.faulty > len(proof.faults):
        lines.append(f"and {proof.faulty - len(proof.faults)} faults more")
    return lines


def export(
    channel: Named,
    format: Annotated[  # noqa: A002 - the word that people know for it
        ExportFormat, typer.Option("--format", parser=parse_format, metavar="FORMAT", help="csv, jsonl, report or bxf.")
    ] = "csv",
    day: Day = None,
    since: Since = None,
    until: Until = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; what is there is replaced.")] = None,
    schema: Annotated[
        Path | None,
        typer.Option("--schema", metavar="PATH", help="Of BXF: a copy of SMPTE's schema; write only what follows it."),
    ] = None,
) -> None:
    """Write a day of the log as CSV, JSON lines, a printed report or BXF XML."""
    if schema is not None and format != "bxf":
        raise typer.BadParameter("only bxf has a schema; add --format bxf", param_hint="--schema")

    async def run(client: Client) -> None:
        channel_id, _ = await _channel(client, channel)
        stream = client.export_asrun(channel_id, format, day=day, since=since, until=until)
        if output is None and schema is None:
            async for chunk in stream:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder) / "as-run" if output is None else output
            await _keep(stream, whole, schema)
            if output is None:
                with whole.open("rb") as file:
                    shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()

    with_supervisor(run)


async def _keep(stream: AsyncIterator[bytes], output: Path, schema: Path | None) -> None:
    """Nothing is there under the name, or is replaced, before it is whole and follows the schema."""
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("wb") as file:
            async for chunk in stream:
                file.write(chunk)
        if schema is not None:
            faults = faults_in(part, schema)
            for name in faults.unchecked:
                print(f"mcr: what the schema takes from {safe(name)} is not here, and not checked", file=sys.stderr)
            if faults.number:
                more = "" if faults.number == len(faults.first) else f"\nand {faults.number - len(faults.first)} more"
                raise Failure(f"Not written: {faults.number} faults against {schema}", "\n".join(faults.first) + more)
        part.replace(output)
    except OSError as error:
        raise Failure("Not written", f"{output}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def service(channel: Named, day: Day = None, as_json: AsJson = False) -> None:
    """Report how a broadcast day was: on-air share, off-air seconds, late starts, failovers."""

    async def run(client: Client) -> tuple[ServiceReport, Channel | None]:
        channel_id, known = await _channel(client, channel)
        return await client.service_report(channel_id, day=day), known

    report, known = with_supervisor(run)
    if as_json:
        print_json([report])
    else:
        print("\n".join(service_lines(report, known)))


def service_lines(report: ServiceReport, channel: Channel | None) -> list[str]:
    zone = channel.time_zone if channel else "UTC"
    name = f"{channel.number} {safe(channel.name)}" if channel else report.channel_id
    kinds = f"filler        {report.filler_seconds:g} s, standby {report.standby_seconds:g} s, "
    items = f"items         {report.items}, {report.without_discrepancy} without discrepancy, "
    lines = [
        f"Channel {name}, broadcast day {report.day}, up to {local_time(report.until, zone)}",
        f"on air        {report.on_air_percent:.4f} %",
        f"off air       {report.off_air_seconds:g} s, of which {report.unintended_seconds:g} s nobody ordered",
        f"{kinds}held {report.held_seconds:g} s",
        f"{items}{report.technical_difficulties} with technical difficulty, {report.did_not_air} did not air",
        f"late starts   {report.late_starts}, the latest by {report.worst_late_ms} ms",
        f"repeated      {report.repeated_frames} frames",
        f"failovers     {len(report.failovers)}",
    ]
    lines += [f"  {local_time(one.at, zone)}: {one.seconds:g} s off air, {one.why}" for one in report.failovers]
    return lines


def note(
    channel: Named,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What there is to say.")],
    event: Annotated[
        str | None, typer.Option("--event", metavar="RUN:SEQ", help="The event it is of; without: of the channel now.")
    ] = None,
    at: Annotated[
        datetime | None, typer.Option("--at", parser=parse_instant, metavar="TIME", help="Of the channel at this time.")
    ] = None,
    correct: Annotated[
        str | None, typer.Option("--correct", metavar="FIELD=VALUE", help="A field of the log and what is right.")
    ] = None,
) -> None:
    """Add a note or a correction to the log. It stands beside what the engine wrote and changes none of it."""
    run_id, seq = _event(event)
    field, value = _correction(correct)

    async def run(client: Client) -> AsRunNote:
        channel_id, _ = await _channel(client, channel)
        values = AsRunNoteIn(run_id=run_id, seq=seq, at=at, text=text, field=field, value=value)
        return await client.add_asrun_note(channel_id, values)

    written = with_supervisor(run)
    print(f"{written.kind.capitalize()} {written.id} is in the log, by {safe(written.by)}.")


def _event(text: str | None) -> tuple[str | None, int | None]:
    if text is None:
        return None, None
    run_id, _, seq = text.rpartition(":")
    if not run_id or not seq.isascii() or not seq.isdigit():
        raise typer.BadParameter(f"not an event: {text!r}; write its run and its number as RUN:SEQ")
    return run_id, int(seq)


def _correction(text: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return None, None
    field, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"not a correction: {text!r}; write FIELD=VALUE")
    return field, value


def issue(
    channel: Named,
    day: Day = None,
    as_json: AsJson = False,
) -> None:
    """Deliver a broadcast day again, under the next number; without --day show what was issued."""

    async def run(client: Client) -> tuple[AsRunIssue, ...]:
        channel_id, _ = await _channel(client, channel)
        if day is None:
            return await client.asrun_issues(channel_id)
        return (await client.issue_asrun(channel_id, day),)

    issues = with_supervisor(run)
    if as_json:
        print_json(issues)
        return
    for one in issues:
        print(issue_line(one))
    if not issues:
        print("Nothing was issued.")


def issue_line(issue: AsRunIssue) -> str:
    more = f": {safe(issue.verdict)}" if issue.verdict else ""
    if issue.fault:
        more = f", {issue.attempts} attempts: {safe(issue.fault)}"
    if issue.why:
        more += f"; then {safe(issue.why)}"
    return f"{issue.day} issue {issue.number} {issue.state}, asked for by {safe(issue.asked_by)}{more}"


def rebuild(channel: Named) -> None:
    """Make the events of the log again from the records, where verify says that they differ."""

    async def run(client: Client) -> AsRunRebuilt:
        channel_id, _ = await _channel(client, channel)
        return await client.rebuild_asrun(channel_id)

    done = with_supervisor(run)
    left = f" {done.runs_left} runs still come in and were left." if done.runs_left else ""
    print(f"{done.events} events of {done.runs} runs were made again from {done.records} records.{left}")
