"""A key and a certificate that an agent issues to itself: P-256, vouched for by nobody else, known by fingerprint."""

from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_NAME: Final = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "MCR Console node agent")])
# Nobody looks at the dates, so that a wrong clock cuts nobody off: as wide as X.509 allows (RFC 5280, 4.1.2.5).
_FROM: Final = datetime(2000, 1, 1, tzinfo=UTC)
_UNTIL: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def issue() -> tuple[bytes, bytes]:
    """A new key and its certificate, each as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(_NAME, _NAME, key.public_key(), x509.random_serial_number(), _FROM, _UNTIL)
    certificate = builder.sign(key, SHA256())
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        certificate.public_bytes(Encoding.PEM),
    )
