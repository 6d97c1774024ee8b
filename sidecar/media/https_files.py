"""What FFmpeg reads over https, fetched by a client of ours that checks certificates.

FFmpeg could check them too, but its HLS reader hands that on to nothing that a playlist names: a segment of a host with
any certificate would be aired.
"""

import logging
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from typing import Final, cast

from sidecar.certificates import certificate_sentence, tls_context
from sidecar.media.opening import Unusable
from sidecar.protocol.live_url import LiveAddress

_SCHEMES: Final = ("https://", "http://")

log = logging.getLogger(__name__)


class HttpsFiles:
    """PyAV's ``io_open`` for one connection. ``timeout``: seconds to connect, and to wait for more data.

    The first file must be there. A later one that is not is an empty one, as FFmpeg's reader goes on to the next then;
    a certificate that is not accepted ends the connection whenever it is met.
    """

    def __init__(self, address: LiveAddress, timeout: float) -> None:
        """Raises Unusable."""
        self._address = address
        self._timeout = timeout
        self._is_first = True
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

    def __call__(self, url: str, _flags: int, options: Mapping[str, str]) -> "HttpsFile":
        """Raises Unusable without anything secret."""
        if url.startswith("crypto"):
            raise Unusable(
                f"its segments are encrypted (AES-128), which is not taken over https: {self._address.shown}"
            )
        if not url.startswith(_SCHEMES):
            raise Unusable(f"its playlist leads to what is no https: {self._address.shown}")
        is_first, self._is_first = self._is_first, False
        request = urllib.request.Request(url)  # noqa: S310 - the schemes are looked at above
        first, end = int(options.get("offset", "0") or 0), int(options.get("end_offset", "0") or 0)
        if first or end:
            request.add_header("Range", f"bytes={first}-{end - 1 if end else ''}")
        try:
            return HttpsFile(cast("HTTPResponse", self._opener.open(request, timeout=self._timeout)), self._address)
        except (OSError, HTTPException, ValueError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it is an answer as well, and holds its connection
            why = _why(error)
            if is_first or _certificate(error) is not None:
                raise Unusable(f"{self._address.masked(why)}: {self._address.shown}") from None
            log.info("live input: a file of it is left out: %s", self._address.masked(why))
            return HttpsFile(None, self._address)


class HttpsFile:
    """A file as PyAV reads one; without an answer an empty one."""

    def __init__(self, answer: HTTPResponse | None, address: LiveAddress) -> None:
        self._answer = answer
        self._address = address

    def read(self, size: int) -> bytes:
        """What is there, at least one byte before the end. Raises Unusable."""
        if self._answer is None:
            return b""
        try:
            return self._answer.read1(size)
        except TimeoutError:
            raise Unusable(f"no answer or no media from it: {self._address.shown}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise Unusable(f"{self._address.masked(_why(error))}: {self._address.shown}") from None

    def close(self) -> None:
        if self._answer is not None:
            self._answer.close()


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
