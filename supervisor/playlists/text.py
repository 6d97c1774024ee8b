"""From the bytes of a list to its text."""

import codecs
from typing import Final

from supervisor.errors import Invalid
from supervisor.schemas.listing import Encoding

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
"""A byte order mark says what the text is, whatever else is said."""


def decoded(data: bytes, encoding: Encoding | None, *, otherwise: Encoding | None = None) -> str:
    """``otherwise`` is taken for what is neither marked, named nor UTF-8. Raises Invalid."""
    name = next((name for mark, name in _MARKS if data.startswith(mark)), encoding or "utf-8")
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        if encoding is None and otherwise is not None:
            return data.decode(otherwise, "replace")
        line = data.count(b"\n", 0, error.start) + 1
        raise Invalid(
            f"line {line} is not {name}", hint="Name the list's encoding, for example cp1252, in its mapping."
        ) from None
