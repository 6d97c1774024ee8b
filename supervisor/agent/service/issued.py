"""A key and a certificate that an agent issues to itself: P-256, vouched for by nobody else and pinned by fingerprint.

Python's standard library speaks TLS and makes no certificates, and an agent must start on a machine that has nothing
but Python. What is here makes the two files once; every handshake with them is OpenSSL's. Nobody looks at the dates, so
that a wrong clock cuts nobody off: they are as wide as X.509 allows (RFC 5280, 4.1.2.5).
"""

import base64
import hashlib
import secrets
from typing import Final

# FIPS 186-4, D.1.2.3: y² = x³ - 3x + b over the integers modulo _P; _G generates a group of _N points.
_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G: Final = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_EC_PUBLIC_KEY: Final = bytes.fromhex("06072a8648ce3d0201")
_PRIME256V1: Final = bytes.fromhex("06082a8648ce3d030107")
_ECDSA_SHA256: Final = bytes.fromhex("06082a8648ce3d040302")
_COMMON_NAME: Final = bytes.fromhex("0603550403")
_NAME: Final = "MCR Console node agent"
_INTEGER, _BITS, _OCTETS, _UTF8, _UTC_TIME, _TIME, _SEQUENCE, _SET = 0x02, 0x03, 0x04, 0x0C, 0x17, 0x18, 0x30, 0x31

_Point = tuple[int, int]


def issue() -> tuple[bytes, bytes]:
    """A new key and its certificate, each as PEM."""
    secret = 1 + secrets.randbelow(_N - 1)
    public = _bits(b"\x04" + b"".join(part.to_bytes(32, "big") for part in _times(secret, _G)))
    key = _der(
        _SEQUENCE, _integer(1), _der(_OCTETS, secret.to_bytes(32, "big")), _der(0xA0, _PRIME256V1), _der(0xA1, public)
    )
    algorithm = _der(_SEQUENCE, _ECDSA_SHA256)
    name = _der(_SEQUENCE, _der(_SET, _der(_SEQUENCE, _COMMON_NAME, _der(_UTF8, _NAME.encode()))))
    said = _der(
        _SEQUENCE,
        _der(0xA0, _integer(2)),  # the third version
        _integer(1 + secrets.randbits(126)),
        algorithm,
        name,
        _der(_SEQUENCE, _der(_UTC_TIME, b"000101000000Z"), _der(_TIME, b"99991231235959Z")),
        name,
        _der(_SEQUENCE, _der(_SEQUENCE, _EC_PUBLIC_KEY, _PRIME256V1), public),
    )
    certificate = _der(_SEQUENCE, said, algorithm, _bits(_signature(secret, said)))
    return _pem("EC PRIVATE KEY", key), _pem("CERTIFICATE", certificate)


def _signature(secret: int, said: bytes) -> bytes:
    """ECDSA with SHA-256. Made once in a key's life: how long it takes tells nobody anything."""
    digest = int.from_bytes(hashlib.sha256(said).digest(), "big")
    while True:
        once = 1 + secrets.randbelow(_N - 1)
        r = _times(once, _G)[0] % _N
        s = pow(once, -1, _N) * (digest + r * secret) % _N
        if r and s:
            return _der(_SEQUENCE, _integer(r), _integer(s))


def _times(factor: int, point: _Point) -> _Point:
    """``factor`` is neither 0 nor a multiple of the group's order, so that there is such a point."""
    total: _Point | None = None
    while factor:
        if factor & 1:
            total = point if total is None else _sum(total, point)
        point = _sum(point, point)
        factor >>= 1
    assert total is not None
    return total


def _sum(one: _Point, other: _Point) -> _Point:
    """Of points that are the same or have different x: others do not come up below the group's order."""
    (x1, y1), (x2, y2) = one, other
    rise, run = (3 * x1 * x1 - 3, 2 * y1) if one == other else (y2 - y1, x2 - x1)
    slope = rise * pow(run, -1, _P) % _P
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _der(_BITS, b"\0", content)


def _pem(label: str, der: bytes) -> bytes:
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()
