"""``If-Match``: whoever changes a thing names the rev that was seen."""

import re
from typing import Annotated, Final

from fastapi import Depends, Header
from starlette.responses import Response

from supervisor.errors import Invalid, RevRequired

_REV: Final = re.compile(r'"?([0-9]{1,18})"?', re.ASCII)


async def seen_rev(
    if_match: Annotated[str | None, Header(description='The rev that was seen, in quotes: `"7"`.')] = None,
) -> int:
    """The rev in ``If-Match``. Raises RevRequired without one, Invalid for anything but a number."""
    if if_match is None:
        raise RevRequired("the header If-Match is missing", hint='Read it, then send If-Match: "<rev>".')
    match = _REV.fullmatch(if_match.strip())
    if match is None:
        raise Invalid(f"If-Match {if_match[:40]!r} is not a rev", hint='Send If-Match: "<rev>", one number in quotes.')
    return int(match[1])


SeenRev = Annotated[int, Depends(seen_rev)]


def set_etag(response: Response, rev: int) -> None:
    """The rev as the entity tag: what ``If-Match`` takes."""
    response.headers["ETag"] = f'"{rev}"'
