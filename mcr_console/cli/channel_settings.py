"""``mcr channel set``: the logo, what is watched on the output, and the loudness profile."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from mcr_console.cli.commands import with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import channel_named
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.channel import Channel, ChannelPatch
from supervisor.schemas.playout import LogoIn, LoudnessProfile

Named = Annotated[str, typer.Argument(metavar="CHANNEL", help="Number or name.")]
_Threshold = Annotated[int | None, typer.Option(min=0, max=3600, help="Seconds of it that raise an alarm; 0: never.")]


def set_(
    named: Named,
    logo: Annotated[Path | None, typer.Option(help="A PNG on the disk of the channel's node.")] = None,
    no_logo: Annotated[bool, typer.Option("--no-logo", help="Take the logo away.")] = False,
    logo_x: Annotated[int | None, typer.Option(min=0, max=7680, help="Pixels from the left.")] = None,
    logo_y: Annotated[int | None, typer.Option(min=0, max=4320, help="Pixels from the top.")] = None,
    logo_opacity: Annotated[int | None, typer.Option(min=0, max=100, help="In hundredths.")] = None,
    logo_on: Annotated[
        bool | None,
        typer.Option("--logo-on/--logo-off", help="For items that inherit and whose category says nothing."),
    ] = None,
    logo_category: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CATEGORY=on|off|inherit",
            help="For items of this category that inherit; may be given again. `mcr channel logo` wins over all of it "
            "and lapses at the next item.",
        ),
    ] = None,
    loudness: Annotated[LoudnessProfile | None, typer.Option(help="off, r128 or a85.")] = None,
    black: _Threshold = None,
    freeze: _Threshold = None,
    silence: _Threshold = None,
    is_test: Annotated[
        bool | None, typer.Option("--test/--no-test", help="There to be tried: mcr drill may take it off air.")
    ] = None,
) -> None:
    """Change how a channel airs. What a channel that plays takes on only when it is started again is said."""
    given = {"x": logo_x, "y": logo_y, "opacity": logo_opacity, "on": logo_on}
    parts = {name: value for name, value in given.items() if value is not None}
    if no_logo and (logo is not None or parts or logo_category):
        raise typer.BadParameter("--no-logo takes it away, and nothing else can be said of it")
    by_category = [_category(text) for text in logo_category or ()]
    others = {
        "loudness_profile": loudness, "black_s": black, "freeze_s": freeze, "silence_s": silence, "is_test": is_test,
    }  # fmt: skip
    changes: dict[str, object] = {name: value for name, value in others.items() if value is not None}
    if not (changes or no_logo or logo is not None or parts or by_category):
        raise typer.BadParameter("say what is to change; mcr channel set --help lists it")

    async def run(client: Client) -> Channel:
        channel = await channel_named(client, named)
        made = dict(changes)
        if no_logo:
            made["logo"] = None
        elif logo is not None or parts or by_category:
            made["logo"] = _logo(channel, logo, parts, by_category)
        return await client.update_channel(channel.id, channel.rev, ChannelPatch.model_validate(made))

    channel = with_supervisor(run)
    print(f"{channel.number} {safe(channel.name)} is changed")
    if channel.from_next_start:
        print(f"from its next start: {', '.join(channel.from_next_start)}; it plays on as it is")


def _category(text: str) -> tuple[str, Literal["on", "off", "inherit"]]:
    name, _, use = text.rpartition("=")
    if not name or use not in ("on", "off", "inherit"):
        raise typer.BadParameter(f"{text!r} is no CATEGORY=on, =off or =inherit")
    return name, use


def _logo(
    channel: Channel, path: Path | None, parts: Mapping[str, object], by_category: Sequence[tuple[str, str]]
) -> LogoIn:
    """The channel's logo with what was given. Raises Failure."""
    if channel.logo is None and path is None:
        raise Failure("The channel has no logo", "There is nothing to change of it.", "Give one with --logo FILE.")
    was = {} if channel.logo is None else channel.logo.model_dump()
    said = {name.casefold() for name, _ in by_category}
    left = {} if channel.logo is None else channel.logo.categories
    categories: dict[str, str] = {name: use for name, use in left.items() if name.casefold() not in said}
    categories |= {name: use for name, use in by_category if use != "inherit"}
    where = {} if path is None else {"path": str(path.expanduser().absolute())}
    try:
        return LogoIn.model_validate({**was, **where, **parts, "categories": categories})
    except ValidationError as error:
        reason = error.errors()[0]
        raise Failure("That is no logo", f"{'.'.join(map(str, reason['loc']))}: {reason['msg']}", "") from None
