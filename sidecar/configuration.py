"""How a sidecar is told what to be: its environment and its one JSON document.

| variable | meaning |
|---|---|
| `CHANNEL_ID` | the channel's id, the same as in the document |
| `MCR_EPOCH` | the epoch of this start, from 1 |
| `MCR_TOKEN` | the bearer token of every request; at least 16 characters |
| `MCR_DOCUMENT` | path of the document, `sidecar.protocol.channel.SidecarDocument` |
| `MCR_STATE_DIR` | a directory of this sidecar's own; `door.json` goes there |
| `MCR_JOURNAL_DIR` | the channel's journals, one directory a run |
| `MCR_MEDIA_ROOT` | the root of HLS output and preview |
| `MCR_DOOR` | optional: `address:port` to listen on, in a container's own network; else loopback, any port |
| `MCR_CA_FILE` | optional: a PEM file with authorities, beside the machine's, whose certificates are accepted |
| `MCR_LEASH_FD` | optional: an open descriptor; when its other end closes, the sidecar leaves the air and exits |
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from sidecar.protocol.channel import SidecarDocument
from sidecar.rundown.rate import parse_rate

EXIT_BAD_CONFIGURATION = 64  # EX_USAGE
_DOCUMENT_BYTES = 16 << 20


class BadConfiguration(Exception):
    """The environment or the document cannot be used; the text names the variable or field and what it should be."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What ``from_environment`` found to be usable."""

    channel_id: str
    epoch: int
    token: str = field(repr=False)
    document: SidecarDocument = field(repr=False)
    state_dir: Path
    journal_dir: Path
    media_root: Path
    leash_fd: int | None
    door: tuple[str, int] = ("127.0.0.1", 0)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Configuration":
        """Reads and checks everything, and makes the directories. Raises BadConfiguration."""
        channel_id = _required(environment, "CHANNEL_ID")
        document = _document(Path(_required(environment, "MCR_DOCUMENT")))
        if document.channel_id != channel_id:
            raise BadConfiguration(f"CHANNEL_ID is {channel_id}, but the document is of channel {document.channel_id}")
        return cls(
            channel_id=channel_id,
            epoch=_epoch(_required(environment, "MCR_EPOCH")),
            token=_token(_required(environment, "MCR_TOKEN")),
            document=document,
            state_dir=_directory(environment, "MCR_STATE_DIR"),
            journal_dir=_directory(environment, "MCR_JOURNAL_DIR"),
            media_root=_directory(environment, "MCR_MEDIA_ROOT"),
            leash_fd=_leash(environment.get("MCR_LEASH_FD")),
            door=_door(environment.get("MCR_DOOR")),
        )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise BadConfiguration(
            f"{name} is not set; a sidecar is started by its node agent, see sidecar/configuration.py"
        )
    return value


def _epoch(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise BadConfiguration(f"MCR_EPOCH is {text!r}; it must be a whole number from 1")
    return int(text)


def _token(text: str) -> str:
    if len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text:
        raise BadConfiguration("MCR_TOKEN must be at least 16 printable ASCII characters without a space")
    return text


def _directory(environment: Mapping[str, str], name: str) -> Path:
    path = Path(_required(environment, name))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfiguration(f"{name}: {path} cannot be made: {error.strerror}") from error
    return path


def _door(text: str | None) -> tuple[str, int]:
    """Address and port; port 0 is one of the kernel's choosing."""
    if not text:
        return "127.0.0.1", 0
    host, _, port = text.rpartition(":")
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        address = None
    if address is None or not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise BadConfiguration(f"MCR_DOOR is {text!r}; it must be an IP address and a port, as in 127.0.0.1:0")
    return str(address), int(port)


def _leash(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise BadConfiguration(f"MCR_LEASH_FD is {text!r}; it must be the number of an open descriptor")
    try:
        os.fstat(int(text))
    except OSError as error:
        raise BadConfiguration(f"MCR_LEASH_FD: descriptor {text} is not open") from error
    return int(text)


def _document(path: Path) -> SidecarDocument:
    try:
        with path.open("rb") as file:
            data = file.read(_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise BadConfiguration(f"MCR_DOCUMENT: {path} cannot be read: {error.strerror}") from error
    if len(data) > _DOCUMENT_BYTES:
        raise BadConfiguration(f"MCR_DOCUMENT: {path} is larger than {_DOCUMENT_BYTES >> 20} MiB")
    try:
        document = msgspec.json.decode(data, type=SidecarDocument)
        parse_rate(document.format.rate)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadConfiguration(f"MCR_DOCUMENT: {path}: {error}") from error
    try:
        ZoneInfo(document.time_zone)
    except (ValueError, OSError, KeyError) as error:
        raise BadConfiguration(f"MCR_DOCUMENT: {path}: no such time zone: {document.time_zone!r}") from error
    for output in document.outputs:
        if output.lease_stop and output.kind != "udp":
            raise BadConfiguration(
                f"MCR_DOCUMENT: {path}: output {output.id}: lease_stop is for udp, not {output.kind}"
            )
    for what, ids in (
        ("output", [output.id for output in document.outputs]),
        ("item", [item.id for item in document.playlist.items]),
    ):
        if len(set(ids)) < len(ids):
            raise BadConfiguration(f"MCR_DOCUMENT: {path}: an {what} id comes twice")
    return document
