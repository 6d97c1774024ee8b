"""Whose certificate is shown where an agent should be: looked at as soon as the handshake is done, before anything is
said. Names, dates and authorities play no part: the node's key proves which certificate is its agent's (decision 0025).
"""

import hashlib
import ssl
from typing import Protocol, runtime_checkable


@runtime_checkable
class ShowsCertificate(Protocol):
    """What the agent of another machine is besides a ``NodeAgent``."""

    @property
    def certificate(self) -> str:
        """A fingerprint; empty where none is known."""
        ...

    @property
    def is_encrypted(self) -> bool | None:
        """None before it answered."""
        ...


class WrongCertificate(ssl.SSLCertVerificationError):
    """Another one than the one that is trusted. Nothing was said to whoever shows it."""

    def __init__(self, shown: str, trusted: str) -> None:
        super().__init__(1, f"it shows the certificate {shown}, and {trusted or 'none'} is trusted there")
        self.shown = shown


class _Looked(ssl.SSLObject):
    """Its handshake is done once its certificate was looked at."""

    def do_handshake(self) -> None:
        super().do_handshake()
        if isinstance(self.context, PinningContext):
            self.context.look(fingerprint_of(self.getpeercert(binary_form=True)))


class PinningContext(ssl.SSLContext):
    """TLS 1.2 and newer, as a client. ``pinned``: the fingerprint of the only certificate that is taken, empty for
    none; None takes any."""

    sslobject_class = _Looked
    pinned: str | None

    def __new__(cls) -> "PinningContext":
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.pinned = ""
        return context

    def look(self, shown: str) -> None:
        """Raises WrongCertificate."""
        if self.pinned is not None and shown != self.pinned:
            raise WrongCertificate(shown, self.pinned)


def fingerprint_of(certificate: bytes | None) -> str:
    """SHA-256 in hexadecimal digits; empty for none."""
    return "" if certificate is None else hashlib.sha256(certificate).hexdigest()
