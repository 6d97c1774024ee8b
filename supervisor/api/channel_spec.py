"""What a channel may be: checks that a schema cannot make."""

from collections.abc import Set as AbstractSet
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from db.models import Channel as Row
from sidecar.protocol.caspar_modes import mode_named
from sidecar.rundown.rate import parse_rate
from supervisor.airing import PLAYOUT, kept_playout, playout_of
from supervisor.errors import Invalid
from supervisor.schemas.channel import ChannelFormat, ChannelIn, ChannelPatch
from supervisor.schemas.playout import Playout

FASTEST: Final = Fraction(120)
"""Frames a second."""


def new_channel(values: ChannelIn) -> dict[str, object]:
    """Columns of a new channel. Raises Invalid."""
    spec: dict[str, object] = values.model_dump(exclude={"format", "outputs", "node_id", *PLAYOUT})
    check_time_zone(values.time_zone)
    check_engine(values.engine, values, values.format, frozenset({"loudness_profile", "caspar"}))
    playout = kept_playout(values)
    return {**spec, **format_columns(values.format), "wanted_node_id": values.node_id, "playout": playout}


def changed_channel(changes: ChannelPatch) -> dict[str, object]:
    """Columns that change. Raises Invalid where something is emptied that a channel must have."""
    given = changes.model_dump(exclude_unset=True, exclude={"format", "outputs", *PLAYOUT})
    may_be_empty = {"project_id", "playlist_id", "node_id", "filler_playlist_id", "standby_asset_id", "logo"}
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


def changed_playout(was: Row, changes: ChannelPatch) -> dict[str, object]:
    """The column with what else is decided of how a channel airs, if that changes."""
    given = changes.model_fields_set & PLAYOUT
    if not given:
        return {}
    playout = playout_of(was).model_copy(update={name: getattr(changes, name) for name in given})
    form = changes.format or ChannelFormat(width=was.width, height=was.height, rate=was.rate)
    check_engine(was.engine, playout, form, given)
    return {"playout": kept_playout(playout)}


def check_engine(engine: str, playout: Playout, form: ChannelFormat, given: AbstractSet[str]) -> None:
    """Raises Invalid for what, of the fields ``given``, the engine of the channel cannot do."""
    if engine != "caspar":
        return
    if "loudness_profile" in given and playout.loudness_profile != "off":
        raise Invalid(
            "a CasparCG server plays the sound of clips as it is: their loudness is not corrected",
            hint='Leave loudness_profile at "off", and bring the clips to their loudness beforehand.',
        )
    mode = mode_named(playout.caspar.mode) if "caspar" in given and playout.caspar is not None else None
    if mode is not None and (mode.width, mode.height, mode.rate) != (form.width, form.height, parse_rate(form.rate)):
        raise Invalid(
            f"the server's mode {mode.name} is {mode.width}x{mode.height} at {mode.rate} frames a second, the channel "
            f"{form.width}x{form.height} at {form.rate}",
            hint="Give both the same format; an interlaced mode goes with its frames a second.",
        )


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
