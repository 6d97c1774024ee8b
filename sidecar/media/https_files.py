"""What FFmpeg reads over https, fetched by a client of ours that checks certificates.

FFmpeg could check them too, but its HLS reader hands that on to nothing that a playlist names: a segment of a host with
any certificate would be aired.
"""

import logging
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from typing import Final, cast

from sidecar.certificates import certificate_sentence, tls_context
from sidecar.media.opening import Unusable
from sidecar.protocol.live_url import LiveAddress

_SCHEMES: Final = ("https://", "http://")
_PLAYLIST: Final = b"#EXTM3U"
_LEAST_BYTES: Final = 16 << 10
"""What comes slower than this in ``timeout`` seconds of waiting is no media: it would keep the connection for ever."""

log = logging.getLogger(__name__)


class HttpsFiles:
    """PyAV's ``io_open`` for one connection. ``timeout``: seconds to connect, and to wait for more data.

    The first file must be there, and is asked for once, by ``begin``: what it says is relative is so to where it was
    found. FFmpeg cannot be told that of a later one, so that a playlist that is somewhere else is refused. A later one
    that is not there is an empty one, as FFmpeg's reader goes on to the next then; a certificate that is not accepted
    ends the connection whenever it is met.
    """

    def __init__(self, address: LiveAddress, timeout: float) -> None:
        """Raises Unusable."""
        self._address = address
        self._timeout = timeout
        self._first: tuple[str, HttpsFile] | None = None
        try:
            context = tls_context()
        except OSError as error:
            raise Unusable(str(error)) from None
        # No handler of file, ftp or data: neither a playlist nor a redirection leads there.
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPRedirectHandler(), urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(), urllib.request.UnknownHandler(),
        ):  # fmt: skip
            self._opener.add_handler(handler)
        self._opener.addheaders = [("User-Agent", "mcr-console")]

    def begin(self, url: str) -> str:
        """Where the first file is, after all redirections: the url to open. Raises Unusable as ``__call__``."""
        answer = self._opened(url, 0, 0, is_first=True)
        found = answer.url if answer is not None else url
        self._first = (found, HttpsFile(answer, self._address, self._timeout))
        return found

    def close(self) -> None:
        """Where FFmpeg did not come to ask for what ``begin`` opened."""
        first, self._first = self._first, None
        if first is not None:
            first[1].close()

    def __call__(self, url: str, _flags: int, options: Mapping[str, str]) -> "HttpsFile":
        """Raises Unusable without anything secret."""
        if url.startswith("crypto"):
            raise Unusable(
                f"its segments are encrypted (AES-128), which is not taken over https: {self._address.shown}"
            )
        if not url.startswith(_SCHEMES):
            raise Unusable(f"its playlist leads to what is no https: {self._address.shown}")
        first, end = int(options.get("offset", "0") or 0), int(options.get("end_offset", "0") or 0)
        begun, self._first = self._first, None
        if begun is not None:
            if begun[0] == url and not first and not end:
                return begun[1]
            begun[1].close()
        answer = self._opened(url, first, end, is_first=False)
        file = HttpsFile(answer, self._address, self._timeout)
        if answer is not None and _base(answer.url) != _base(url) and file.begins_with(_PLAYLIST):
            file.close()
            raise Unusable(
                f"a playlist within it is redirected, which is not followed over https: {self._address.shown}"
            )
        return file

    def _opened(self, url: str, first: int, end: int, *, is_first: bool) -> HTTPResponse | None:
        request = urllib.request.Request(url)  # noqa: S310 - the schemes are looked at above
        if first or end:
            request.add_header("Range", f"bytes={first}-{end - 1 if end else ''}")
        try:
            return cast("HTTPResponse", self._opener.open(request, timeout=self._timeout))
        except (OSError, HTTPException, ValueError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it is an answer as well, and holds its connection
            why = _why(error)
            if is_first or _certificate(error) is not None:
                raise Unusable(f"{self._address.masked(why)}: {self._address.shown}") from None
            log.info("live input: a file of it is left out: %s", self._address.masked(why))
            return None


class HttpsFile:
    """A file as PyAV reads one; without an answer an empty one."""

    def __init__(self, answer: HTTPResponse | None, address: LiveAddress, timeout: float) -> None:
        self._answer = answer
        self._address = address
        self._timeout = timeout
        self._waited = 0.0
        self._came = 0
        self._head = b""

    def begins_with(self, mark: bytes) -> bool:
        """Waits for as much of it. Raises Unusable."""
        while len(self._head) < len(mark) and (more := self._more(len(mark))):
            self._head += more
        return self._head.startswith(mark)

    def read(self, size: int) -> bytes:
        """What is there, at least one byte before the end. Raises Unusable."""
        if self._head:
            given, self._head = self._head[:size], self._head[size:]
            return given
        return self._more(size)

    def _more(self, size: int) -> bytes:
        if self._answer is None:
            return b""
        began = time.monotonic()
        try:
            data = self._answer.read1(size)
        except TimeoutError:
            self.close()
            raise Unusable(f"no answer or no media from it: {self._address.shown}") from None
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise Unusable(f"{self._address.masked(_why(error))}: {self._address.shown}") from None
        if not data:
            self.close()  # at the end; FFmpeg may never close what it gives up later
        self._waited += time.monotonic() - began
        self._came += len(data)
        if self._came >= _LEAST_BYTES:
            self._waited, self._came = 0.0, 0
        elif self._waited > self._timeout:
            self.close()
            raise Unusable(f"it sends too slowly for media: {self._address.shown}")
        return data

    def close(self) -> None:
        if self._answer is not None:
            self._answer.close()


def _base(url: str) -> str:
    """What a name without a path is relative to."""
    return urllib.parse.urljoin(url, "a")


def _certificate(error: BaseException) -> ssl.SSLCertVerificationError | None:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return reason if isinstance(reason, ssl.SSLCertVerificationError) else None


def _why(error: BaseException) -> str:
    """In an operator's words."""
    if (refused := _certificate(error)) is not None:
        return certificate_sentence(refused)
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "no answer or no media from it"
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused"
    told = reason.strerror if isinstance(reason, OSError) else None
    return told or type(reason).__name__
