"""Whose certificates are accepted: the machine's authorities, and those in the file that ``MCR_CA_FILE`` names."""

import functools
import os
import socket
import ssl
from pathlib import Path
from typing import Final

CA_FILE: Final = "MCR_CA_FILE"
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep their authorities, beside what Python was built to know."""


def tls_context() -> ssl.SSLContext:
    """Checks certificate and name. Raises OSError for a file of authorities that cannot be read, and names it."""
    context = ssl.create_default_context(cafile=_system_bundle())
    own = os.environ.get(CA_FILE, "")
    if own:
        try:
            context.load_verify_locations(cafile=own)
        except OSError as error:  # ssl.SSLError too
            raise OSError(f"{CA_FILE}: {own} holds no certificates that can be read") from error
    return context


@functools.cache
def ca_bundle() -> str | None:
    """All of them in one file, for libraries that take no more; None where there are none, so that nothing is accepted.

    Raises as ``tls_context``. Reads the files once.
    """
    tls_context()  # says what is wrong
    paths = [path for path in (_system_bundle(), os.environ.get(CA_FILE)) if path]
    if not paths:
        return None
    memory = os.memfd_create("authorities")
    os.write(memory, b"\n".join(Path(path).read_bytes() for path in paths))
    return f"/proc/self/fd/{memory}"


def refused_certificate(host: str, port: int, timeout: float) -> str:
    """Why a server's certificate is not accepted; empty where it is, or where the server does not answer. For a library
    that only says that something failed. Blocks for at most about twice ``timeout`` seconds."""
    try:
        with (
            socket.create_connection((host, port), timeout=timeout) as plain,
            tls_context().wrap_socket(plain, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return certificate_sentence(error)
    except OSError:
        return ""


def certificate_sentence(error: ssl.SSLCertVerificationError) -> str:
    return f"its certificate is not accepted ({error.verify_message.rstrip('.')})"


def _system_bundle() -> str | None:
    known = ssl.get_default_verify_paths()
    return next((path for path in (known.cafile, *_BUNDLES) if path and Path(path).is_file()), None)
