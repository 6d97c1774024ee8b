"""Whether two lists of outputs, or two looks, are the same one, told in a word."""

import hashlib
from collections.abc import Sequence

import msgspec

from sidecar.protocol.channel import Look, Output


def outputs_digest(outputs: Sequence[Output]) -> str:
    """16 hex digits over all that the outputs are, in their order. What is at its default counts for nothing."""
    return hashlib.sha256(msgspec.json.encode(tuple(outputs))).hexdigest()[:16]


def look_digest(look: Look) -> str:
    """As ``outputs_digest``."""
    return hashlib.sha256(msgspec.json.encode(look)).hexdigest()[:16]
