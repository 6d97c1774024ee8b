"""The certificate by which an agent is known and what is said to it is encrypted: given, or issued by itself."""

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supervisor.agent.service.issued import issue
from supervisor.api.tls import TlsFiles, tls_context
from supervisor.errors import Invalid
from supervisor.files import write_whole

_FIRST: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Shown:
    """``fingerprint``: SHA-256 of the certificate itself, 64 hexadecimal digits."""

    context: ssl.SSLContext
    fingerprint: str


def given_certificate(files: TlsFiles) -> Shown:
    """Raises Invalid, in words, for what cannot be used."""
    context = tls_context(files)
    return Shown(context, _fingerprint(files.certificate))


def issued_certificate(folder: Path) -> Shown:
    """The one in ``folder``, made the first time. Raises Invalid."""
    files = TlsFiles(folder / "agent.crt", folder / "agent.key")
    try:
        # The certificate is written last: where it is, its key is.
        if not files.certificate.exists():
            key, certificate = issue()
            write_whole(files.key, key)
            write_whole(files.certificate, certificate)
    except OSError as error:
        raise Invalid(f"the agent's certificate cannot be written to {folder}: {error.strerror}") from error
    return given_certificate(files)


def _fingerprint(path: Path) -> str:
    """Of the first in the file, which is the one that is shown; those after it vouch for it."""
    try:
        text = path.read_text("ascii", "replace")
        _, begin, rest = text.partition(_FIRST)
        body, end, _ = rest.partition(_END)
        der = ssl.PEM_cert_to_DER_cert(begin + body + end)
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} holds no certificate that can be read: {error}") from error
    return hashlib.sha256(der).hexdigest()
