"""What a channel may be: checks that a schema cannot make."""

import ipaddress
from collections.abc import Sequence
from fractions import Fraction
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from db.repositories.channels import OutputSpec
from sidecar.rundown.rate import parse_rate
from supervisor.errors import Invalid
from supervisor.schemas.channel import ChannelFormat, ChannelIn, ChannelPatch, OutputIn

FASTEST: Final = Fraction(120)
"""Frames a second."""


def new_channel(values: ChannelIn) -> dict[str, object]:
    """Columns of a new channel. Raises Invalid."""
    spec: dict[str, object] = values.model_dump(exclude={"format", "outputs", "node_id"})
    check_time_zone(values.time_zone)
    return {**spec, **format_columns(values.format), "wanted_node_id": values.node_id}


def changed_channel(changes: ChannelPatch) -> dict[str, object]:
    """Columns that change. Raises Invalid where something is emptied that a channel must have."""
    given = changes.model_dump(exclude_unset=True, exclude={"format", "outputs"})
    may_be_empty = {"project_id", "playlist_id", "node_id"}
    for name in changes.model_fields_set - may_be_empty:
        if getattr(changes, name) is None:
            raise Invalid(f"{name} cannot be empty", hint="Leave it out to keep it as it is.")
    if changes.time_zone is not None:
        check_time_zone(changes.time_zone)
    if changes.format is not None:
        given |= format_columns(changes.format)
    if "node_id" in given:
        given["wanted_node_id"] = given.pop("node_id")
    return given


def format_columns(form: ChannelFormat) -> dict[str, object]:
    """Raises Invalid for a rate that no channel has."""
    try:
        rate = parse_rate(form.rate)
    except ValueError as error:
        raise Invalid(str(error)) from None
    if not 1 <= rate <= FASTEST:
        raise Invalid(f"{form.rate} frames a second cannot be played", hint=f"Choose a rate from 1 to {FASTEST}.")
    return {"width": form.width, "height": form.height, "rate": str(rate)}


def check_time_zone(name: str) -> None:
    """Raises Invalid for what is no zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise Invalid(f"{name!r} is not a time zone", hint="Use an IANA name such as Europe/Berlin or UTC.") from None


def output_specs(outputs: Sequence[OutputIn]) -> list[OutputSpec]:
    """Outputs as they are stored. Raises Invalid."""
    for output in outputs:
        if output.kind == "hls":
            if output.url:
                raise Invalid("an hls output has no url", hint="Its place is <media root>/live/<channel id>/.")
        else:
            check_udp(output.url)
    if sum(output.kind == "hls" for output in outputs) > 1:
        raise Invalid("a channel has at most one hls output: its place follows from the channel")
    urls = [output.url for output in outputs if output.url]
    if len(set(urls)) != len(urls):
        raise Invalid("two outputs have the same url")
    return [OutputSpec(output.kind, output.url) for output in outputs]


def check_udp(url: str) -> None:
    """``udp://host:port[?ttl=..&localaddr=..]``. Raises Invalid."""
    hint = "Write udp://239.1.1.1:5000 or udp://10.0.0.7:5000?ttl=8."
    if any(character.isspace() or not character.isprintable() for character in url):
        raise Invalid(f"the url {url!r} holds blanks or controls", hint=hint)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid(f"the url {url!r} cannot be read: {error}", hint=hint) from None
    if parts.scheme != "udp":
        raise Invalid(f"a udp output goes to udp://host:port, not to {url!r}", hint=hint)
    if not parts.hostname or not port:
        raise Invalid(f"the url {url!r} lacks a host or a port", hint=hint)
    if parts.username is not None or parts.password is not None or parts.path not in {"", "/"} or parts.fragment:
        raise Invalid(f"the url {url!r} has more than host, port and options", hint=hint)
    _check_udp_options(url, parts.query, hint)


def _check_udp_options(url: str, query: str, hint: str) -> None:
    for option in filter(None, query.split("&")):
        name, _, value = option.partition("=")
        if name == "ttl" and value.isascii() and value.isdigit() and 1 <= int(value) <= 255:
            continue
        if name == "localaddr" and _is_address(value):
            continue
        raise Invalid(f"the url {url!r} has the option {option!r}: only ttl=1..255 and localaddr=ADDRESS", hint=hint)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
