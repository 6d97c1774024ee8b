"""What recorders and schedules may be: checks that a schema cannot make."""

from collections.abc import Mapping
from datetime import date, time
from typing import Final

from sidecar.protocol.live_url import parse_live_url
from supervisor.api.channel_spec import check_time_zone
from supervisor.errors import Invalid
from supervisor.schemas.recorder import RecorderIn, RecorderInput, RecorderPatch
from supervisor.schemas.schedule import ScheduleIn, SchedulePatch

_SCHEMES: Final = {"srt": ("srt",), "rtmp": ("rtmp", "rtmps"), "udp": ("udp",), "hls": ("http", "https")}
_FIELDS: Final = frozenset({"recorder", "title", "date", "time", "segment", "epoch"})
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._- ")


def new_recorder(values: RecorderIn) -> dict[str, object]:
    """Columns. Raises Invalid."""
    check_time_zone(values.time_zone)
    check_template(values.template)
    columns: dict[str, object] = values.model_dump(exclude={"input", "node_id"})
    return {**columns, **input_columns(values.input), "wanted_node_id": values.node_id}


def changed_recorder(changes: RecorderPatch) -> dict[str, object]:
    """Columns that change. Raises Invalid."""
    given: dict[str, object] = changes.model_dump(exclude_unset=True, exclude={"input", "node_id"})
    for name in changes.model_fields_set - {"project_id", "node_id"}:
        if getattr(changes, name) is None:
            raise Invalid(f"{name} cannot be empty", hint="Leave it out to keep it as it is.")
    if changes.time_zone is not None:
        check_time_zone(changes.time_zone)
    if changes.template is not None:
        check_template(changes.template)
    if changes.input is not None:
        given |= input_columns(changes.input)
    if "node_id" in changes.model_fields_set:
        given["wanted_node_id"] = changes.node_id
    return given


def input_columns(what: RecorderInput) -> dict[str, object]:
    """Raises Invalid."""
    if (what.kind == "decklink") != (what.device_index is not None):
        raise Invalid("a DeckLink input has a device_index, and no other has", hint="Cards are counted from 1.")
    if what.kind not in _SCHEMES:
        if what.url:
            raise Invalid(f"an input of kind {what.kind} has no url")
    else:
        try:
            address = parse_live_url(what.url)
        except ValueError as error:
            raise Invalid(str(error)) from None
        if address.scheme not in _SCHEMES[what.kind]:
            raise Invalid(f"an input of kind {what.kind} does not come by {address.scheme}")
    return {"input_kind": what.kind, "input_url": what.url, "device_index": what.device_index}


def check_node(columns: Mapping[str, object]) -> None:
    """Raises Invalid for a card without its machine."""
    if columns.get("input_kind") == "decklink" and columns.get("wanted_node_id") is None:
        raise Invalid("a DeckLink input needs the node that has the card", hint="Give node_id.")


def check_template(template: str) -> None:
    """As ``sidecar.recorder.naming`` has it. Raises Invalid."""
    rest = template
    for name in _FIELDS:
        rest = rest.replace(f"{{{name}}}", "x")
    parts = rest.split("/")
    if not all(part.strip(" .") for part in parts) or not set("".join(parts)) <= _PLAIN:
        there = " ".join(f"{{{name}}}" for name in sorted(_FIELDS))
        raise Invalid(
            "a name template has letters, digits, blanks, . _ - and / for folders",
            hint=f"What is filled in: {there}.",
        )


def new_schedule(values: ScheduleIn) -> dict[str, object]:
    """Columns. Raises Invalid."""
    columns: dict[str, object] = values.model_dump()
    check_schedule(columns)
    return columns | {"weekdays": list(values.weekdays)}


def changed_schedule(changes: SchedulePatch) -> dict[str, object]:
    """Columns that change. Raises Invalid."""
    given: dict[str, object] = changes.model_dump(exclude_unset=True)
    for name in changes.model_fields_set - {"until"}:
        if getattr(changes, name) is None:
            raise Invalid(f"{name} cannot be empty", hint="Leave it out to keep it as it is.")
    if changes.weekdays is not None:
        given["weekdays"] = list(changes.weekdays)
    return given


def check_schedule(columns: Mapping[str, object]) -> None:
    """A whole one. Raises Invalid."""
    check_time_zone(str(columns["time_zone"]))
    try:
        first = date.fromisoformat(str(columns["date"]))
        time.fromisoformat(str(columns["at"]))
        until = None if columns["until"] is None else date.fromisoformat(str(columns["until"]))
    except ValueError as error:
        raise Invalid(f"there is no such day or time: {error}") from None
    if until is not None and until < first:
        raise Invalid("the last day lies before the first")
    if (columns["kind"] == "weekly") != bool(columns["weekdays"]):
        raise Invalid("a weekly schedule has weekdays, and no other has", hint="0 is Monday, 6 is Sunday.")
