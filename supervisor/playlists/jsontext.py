"""JSON from outside: one object, numbers exact."""

import json
from decimal import Decimal
from typing import Final, cast

from supervisor.errors import Invalid

_EXPONENT: Final = 400


def json_object(text: str) -> dict[str, object]:
    """Numbers with a point stay exact. Raises Invalid for what is not one JSON object."""
    try:
        document: object = json.loads(text, parse_float=_exact, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"this is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Invalid("this is JSON, but not an object")
    return cast("dict[str, object]", document)


def _exact(text: str) -> Decimal:
    """Without a number so small or large that its fraction would fill the memory."""
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _EXPONENT or number.adjusted() > _EXPONENT:
        raise ValueError(f"{text[:40]} is no number of a list")
    return number


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no number")
