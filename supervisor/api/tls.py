"""The certificate of the TCP door, and which names a caller may call it by."""

import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from supervisor.clock import Clock
from supervisor.errors import Invalid

EVERY_S: Final = 60.0
"""Seconds after which a certificate that was renewed is taken up; connections that are open keep theirs."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM: the certificate with those that vouch for it, and its key."""

    certificate: Path
    key: Path


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """TLS 1.2 and newer. Raises Invalid for what cannot be used, and for a key that everybody can read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, files)
    return context


async def renew(context: ssl.SSLContext, files: TlsFiles, clock: Clock) -> None:
    """Takes up other files under the same names until cancelled; what cannot be used leaves those before in place."""
    seen = _stamp(files)
    while True:
        await clock.sleep(EVERY_S)
        now = _stamp(files)
        if now == seen:
            continue
        try:
            _load(tls_context(files), files)  # tried first: half a pair must not be in the one that is used
            _load(context, files)
        except Invalid as error:
            # Said again each time it is tried: the one before runs out.
            _log.error("the renewed certificate cannot be used; the one before stays", why=error.detail)
        else:
            _log.info("the renewed certificate is used from now on", certificate=str(files.certificate))
            seen = now


def named_by(names: str, own: Callable[[], str], *, beyond_loopback: bool) -> frozenset[str]:
    """What a Host header may say beside loopback: ``names``, separated by commas, and this machine's own name where
    the door is open to others."""
    found = {name.strip().lower() for name in names.split(",") if name.strip()}
    return frozenset(found | ({own().lower()} if beyond_loopback else set()))


def is_address(host: str) -> bool:
    """An address is no name that somebody could point at this machine (DNS rebinding)."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    try:
        if files.key.stat().st_mode & 0o007:
            raise Invalid(f"{files.key} can be read by everybody", hint=f"Run: chmod o= {files.key}")
        # Without a password of its own OpenSSL would ask the terminal for one.
        context.load_cert_chain(files.certificate, files.key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise Invalid(
            f"certificate {files.certificate} and key {files.key} cannot be used: {error}",
            hint="Both are PEM, the key without a passphrase and of this certificate.",
        ) from error


def _stamp(files: TlsFiles) -> tuple[int, ...]:
    try:
        return (files.certificate.stat().st_mtime_ns, files.key.stat().st_mtime_ns)
    except OSError:
        return ()
