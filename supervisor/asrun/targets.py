"""Where a day's log is delivered to: a folder, or a URL by HTTP ``PUT``."""

import errno
import filecmp
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx

from supervisor.errors import Invalid
from supervisor.threads import Threads

_CALL_S: Final = 20.0
"""Deadline of each call to the disk."""
_SILENCE_S: Final = 30.0
"""Longest wait for the other end to take the next piece, or to answer."""
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What file systems say that have no hard links."""


class NameTaken(OSError):
    """Somebody may have read the file of this name as the log."""


class Target(Protocol):
    """Takes whole files: what is there under a name is either nothing or all of it."""

    async def put(self, folder: str, name: str, data: AsyncIterator[bytes]) -> None:
        """Raises OSError, Unavailable, or httpx.HTTPError; the same file may be put again.

        NameTaken: there is a file of this name with other bytes, which is left as it is.
        """
        ...


class FolderTarget:
    """Below ``root``, made when it is not there."""

    def __init__(self, root: Path, threads: Threads) -> None:
        self._root = root
        self._threads = threads

    async def put(self, folder: str, name: str, data: AsyncIterator[bytes]) -> None:
        run = self._threads.run
        place = self._root / folder
        part = place / f".{name}.part"
        file = await run(_CALL_S, _open, part)
        try:
            async for piece in data:
                await run(_CALL_S, file.write, piece)
            await run(_CALL_S, _finish, file, part, place / name)
        except BaseException:
            await run(_CALL_S, _give_up, file, part)
            raise


def _open(part: Path) -> BinaryIO:
    part.parent.mkdir(parents=True, exist_ok=True)
    # Whoever was ended in the middle left it, and it may be another name of a file that was delivered.
    part.unlink(missing_ok=True)
    return part.open("xb")


def _finish(file: BinaryIO, part: Path, whole: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    _name(part, whole)
    folder = os.open(whole.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _name(part: Path, whole: Path) -> None:
    """Never over a file with other bytes."""
    try:
        os.link(part, whole)
    except OSError as error:
        if error.errno != errno.EEXIST and error.errno not in _NO_LINKS:
            raise
        if whole.exists() and not filecmp.cmp(part, whole, shallow=False):
            raise NameTaken(errno.EEXIST, "there is another file of this name", str(whole)) from None
        part.replace(whole)
        return
    part.unlink()


def _give_up(file: BinaryIO, part: Path) -> None:
    file.close()
    part.unlink(missing_ok=True)


class UrlTarget:
    """``PUT`` of each file below the URL. Its user and password go along as HTTP wants them and into no message."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Raises Invalid unless it is http or https."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Invalid("MCR_ASRUN_URL is no URL to send to", hint="Give https://host/path.")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        host = parts.netloc.rpartition("@")[2]
        self._base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self._query = parts.query
        self._auth = httpx.BasicAuth(user, password) if user else None
        self._transport = transport

    async def put(self, folder: str, name: str, data: AsyncIterator[bytes]) -> None:
        url = f"{self._base}/{quote(folder)}/{quote(name)}" + (f"?{self._query}" if self._query else "")
        timeout = httpx.Timeout(_SILENCE_S)
        async with httpx.AsyncClient(timeout=timeout, trust_env=False, transport=self._transport) as client:
            answer = await client.put(url, content=data, auth=self._auth or httpx.USE_CLIENT_DEFAULT)
        if not answer.is_success:
            raise httpx.HTTPError(f"{urlsplit(url).hostname} answered {answer.status_code} to {folder}/{name}")
