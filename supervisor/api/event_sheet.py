"""Writes docs/events.md from the events' own list and shapes: ``python -m supervisor.api.event_sheet``."""

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from supervisor.api.routes.stream import STUCK_S
from supervisor.events import BACKLOG, RING
from supervisor.schemas.base import Schema
from supervisor.schemas.event import PAYLOADS, EventName

WHEN: Final[Mapping[EventName, str]] = {
    "reset": "The first of a stream that does not resume: everything there is. It replaces all that was known.",
    "channel": "A channel was made, changed, or moved on in its phase.",
    "channel_live": "What is seen of a channel changed; while it plays, once a second.",
    "channel_deleted": "A channel was deleted.",
    "playlist": "Items of a playlist changed.",
    "asrun": "Something went to air, ended, or was passed over. The same `run_id` and `seq` comes again with its end.",
    "alarm": "An alarm was raised, changed, acknowledged, put aside, or is over (`cleared_at`).",
    "node": "A node was added or changed, or its state did.",
    "node_deleted": "A node was deleted.",
    "recorder": "A recorder was made or changed.",
    "recorder_live": "What is seen of a recorder changed; its growing figures alone are no news.",
    "recorder_deleted": "A recorder was deleted, and its schedules with it.",
    "schedule": "A schedule was made or changed; what clashes with others is to be asked for anew.",
    "schedule_deleted": "A schedule was deleted.",
    "beat": "Once a second, so that a quiet supervisor is told from a lost one.",
}
"""When each comes."""

HEAD: Final = f"""# Events

`GET /api/v1/events` is a stream of server-sent events (`text/event-stream`): everything that changes, as it changes.
It is what the console shows; each reader gets what it may see.

```sh
curl --no-buffer --unix-socket "$MCR_HOME/run/mcr.sock" http://mcr/api/v1/events
```

Each event has three lines and an empty one: `id: <boot>-<number>`, `event: <type>`, `data: <one line of JSON>`.
Types and fields that a reader does not know are to be passed over: there will be more.

## Beginning and resuming

A stream begins with `reset`. Who comes back sends the id of the last event it saw as `Last-Event-ID`, as browsers do by
themselves; then the stream goes on after it without a `reset`, and nothing is missed. Where the supervisor cannot go on
there (it was started anew, so `<boot>` is another, or too much happened since) the stream begins with `reset`, and what
was known before is to be forgotten. A reader needs no other case.

As-run events and alarms between two streams are not told again after a `reset`, which has the alarms that are open; the
log has all (`GET /api/v1/channels/…/as-run`). Who must not miss any uses a webhook (docs/webhooks.md).

## Bounds

- {RING:,} events are kept to resume from. Of `channel_live` the newest of each channel is kept beside them.
- {BACKLOG} events may wait for one reader, and of `channel_live` the newest of each channel. Who is slower is cut off
  with a comment line that says so, and comes back with its last id.
- A connection that takes nothing for {STUCK_S:.0f} s is cut off without a word.
- A `beat` comes each second. Three seconds without a byte mean that the line is lost: connect again, after 0.25 s
  at first and then more slowly.
- The order is the one in which things happened at this supervisor. A follower tells what the leader writes, up to two
  seconds later.

## Types

"""


def sheet() -> str:
    """The page."""
    shapes: dict[str, Mapping[str, Any]] = {}
    parts = [_event(name, PAYLOADS[name], shapes) for name in get_args(EventName)]
    parts.append("## Shapes\n")
    parts += [_shape(name, shapes[name]) for name in sorted(shapes)]
    return HEAD + "\n".join(parts)


def _event(name: EventName, payload: type[Schema], shapes: dict[str, Mapping[str, Any]]) -> str:
    schema = payload.model_json_schema()
    shapes.update(cast("Mapping[str, Mapping[str, Any]]", schema.get("$defs", {})))
    if name in {"channel", "node", "alarm", "asrun", "recorder", "schedule", "channel_live"}:
        shapes[payload.__name__] = schema
        return f"### `{name}`\n\n{WHEN[name]} The data is a [{payload.__name__}](#{payload.__name__.lower()}).\n"
    return f"### `{name}`\n\n{WHEN[name]}\n\n{_table(schema)}"


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    said = " ".join(str(schema.get("description", "")).replace("``", "`").split())
    return f"### {name}\n\n{said}\n\n{_table(schema)}" if said else f"### {name}\n\n{_table(schema)}"


def _table(schema: Mapping[str, Any]) -> str:
    if "properties" not in schema:
        return f"{_type(schema)}\n"
    properties = cast("Mapping[str, Mapping[str, Any]]", schema["properties"])
    rows = [f"| `{name}` | {_type(told)} |" for name, told in properties.items()]
    return "\n".join(["| field | is |", "|---|---|", *rows, ""])


def _type(told: Mapping[str, Any]) -> str:
    """In words."""
    if "$ref" in told:
        name = str(told["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in told:
        return " or ".join(_type(one) for one in cast("list[Mapping[str, Any]]", told["anyOf"]))
    if "enum" in told:
        return ", ".join(f"`{value}`" for value in cast("list[object]", told["enum"]))
    if "const" in told:
        return f"`{told['const']}`"
    match told.get("type"):
        case "array":
            return f"list of {_type(cast('Mapping[str, Any]', told.get('items', {})))}"
        case "string" if told.get("format") == "date-time":
            return "instant, UTC"
        case "object":
            return "object"
        case None:
            return "anything"
        case kind:
            return str(kind)


if __name__ == "__main__":
    import sys

    sys.stdout.write(sheet())
