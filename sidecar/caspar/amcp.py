"""AMCP as bytes: how a command is written so that no text in it can be anything else, and how replies are cut.

The rules were read in the server's source (2.3.3 to 2.5.0: ``protocol/util/tokenize.cpp``,
``protocol/amcp/AMCPProtocolStrategy.cpp``) and seen on a running 2.5.0. Nothing here does I/O.
"""

import re
from dataclasses import dataclass
from typing import Final

_FORBIDDEN: Final = re.compile("[\r\n\0\ud800-\udfff]")
_BARE: Final = re.compile(r"[A-Za-z0-9_.#-]+")
_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_STATUS: Final = re.compile(rb"(?:RES (?P<id>[^\r]*?) )?(?P<code>[1-5][0-9][0-9])(?: +(?P<words>.*))?")
_TERMINATOR: Final = b"\r\n"
MOST_REPLY_BYTES: Final = 8 << 20
"""A reply that is longer is no reply: INFO of a hundred layers is some 80 kB."""


class UnwritableTextError(ValueError):
    """The text holds what AMCP cannot carry in one command: CR, LF, NUL, or what is not Unicode."""


class GarbledReplyError(Exception):
    """What came is not AMCP; nothing that follows on this connection can be told apart."""


def quoted(text: str) -> str:
    r"""``text`` as one parameter, whatever is in it. Raises UnwritableTextError.

    Backslash escapes in and out of quotes, and an escape that is not known is dropped: so ``\`` and ``"`` are escaped
    and all is quoted. A line's end within quotes still ends the command, and half a surrogate would be left out.
    """
    if _FORBIDDEN.search(text):
        raise UnwritableTextError(f"a line's end, NUL or half a character cannot be sent to the server: {text[:80]!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def word(text: str) -> str:
    """A keyword or a number, bare. Raises UnwritableTextError for what would need quotes."""
    if not _BARE.fullmatch(text):
        raise UnwritableTextError(f"not a keyword of AMCP: {text[:80]!r}")
    return text


def line(command: str, request_id: str | None = None) -> bytes:
    """``command``, made of ``word`` and ``quoted``, as it goes out. Raises UnwritableTextError.

    With ``request_id`` the reply begins with it: some commands get none at all (CALL on a clip with a value that is no
    number), and the next reply would otherwise be taken for theirs.
    """
    if _FORBIDDEN.search(command) or not command.strip():
        raise UnwritableTextError(f"not one command: {command[:80]!r}")
    if request_id is not None and not _ID.fullmatch(request_id):
        raise UnwritableTextError(f"not an id of a request: {request_id[:80]!r}")
    prefix = "" if request_id is None else f"REQ {request_id} "
    return f"{prefix}{command}".encode() + _TERMINATOR


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. ``request_id`` is None where the server named none; ``words`` is what follows the code.

    ``data``: the lines of a 200, the one block of a 201 (with bare line feeds in it), the command that a 400 repeats.
    """

    request_id: str | None
    code: int
    words: str
    data: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.code in (200, 201, 202)


class ReplyReader:
    """Cuts a stream into replies; lines end with CR LF alone, INFO's XML has bare LF within."""

    def __init__(self) -> None:
        self._rest = b""
        self._status: tuple[str | None, int, str] | None = None
        self._lines: list[str] = []

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that ``data`` completes. Raises GarbledReplyError."""
        self._rest += data
        replies: list[Reply] = []
        while (end := self._rest.find(_TERMINATOR)) >= 0:
            one, self._rest = self._rest[:end], self._rest[end + len(_TERMINATOR) :]
            reply = self._line(one)
            if reply is not None:
                replies.append(reply)
        if len(self._rest) + sum(map(len, self._lines)) > MOST_REPLY_BYTES:
            raise GarbledReplyError(f"a reply of more than {MOST_REPLY_BYTES} bytes")
        return replies

    def _line(self, one: bytes) -> Reply | None:
        if self._status is None:
            return self._first(one)
        request_id, code, words = self._status
        if code == 200 and one:
            self._lines.append(one.decode(errors="replace"))
            return None
        if code != 200:
            self._lines.append(one.decode(errors="replace"))
        reply = Reply(request_id, code, words, tuple(self._lines))
        self._status, self._lines = None, []
        return reply

    def _first(self, one: bytes) -> Reply | None:
        if one.startswith(b"PONG"):
            return Reply(None, 202, one.decode(errors="replace"))
        match = _STATUS.fullmatch(one)
        if match is None:
            raise GarbledReplyError(f"not the first line of a reply: {one[:80]!r}")
        request_id = match["id"].decode(errors="replace") if match["id"] is not None else None
        code, words = int(match["code"]), (match["words"] or b"").decode(errors="replace")
        if code in (200, 201, 400):
            self._status = (request_id, code, words)
            return None
        return Reply(request_id, code, words)
