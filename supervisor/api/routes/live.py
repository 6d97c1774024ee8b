"""``/live``: the HLS that channels make on this node, and the thumbnail of what is on air."""

import os
import re
import stat
from typing import Final

from fastapi import Response

from supervisor.api.context import Ctx, Who
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.api.routes.channels import channel_row
from supervisor.errors import NotFound, Unavailable
from supervisor.schemas.base import Id

routes = router("pictures")
files = router("live", prefix="")

READ_S: Final = 5.0
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one file: a segment of 2 s at 250 Mbit/s."""

_PATH: Final = re.compile(
    r"(?P<preview>preview/)?(?:(?P<index>index)\.m3u8|(?P<list>[0-9]{1,18})\.m3u8"
    r"|(?P<epoch>[0-9]{1,18})/(?P<segment>[0-9]{1,18}\.ts))",
    re.ASCII,
)
_LINK: Final = re.compile(r"[0-9]{1,18}\.m3u8", re.ASCII)
_CORS: Final = {"Access-Control-Allow-Origin": "*"}
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@routes.get(
    "/channels/{channel_id}/thumbnail.jpg",
    response_class=Response,
    responses={**documented(404, 409, 502, 504), 200: {"content": {"image/jpeg": {}}, "description": "A JPEG."}},
)
async def read_thumbnail(context: Ctx, who: Who, channel_id: Id) -> Response:
    """What is on air now."""
    if who.role != "admin":
        async with context.store.read() as tx:
            await channel_row(tx, who, channel_id)
    picture = await context.supervision.commands.thumbnail(channel_id)
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@files.get(
    "/live/{channel_id}/{path:path}",
    response_class=Response,
    responses={
        **documented(404),
        200: {
            "content": {"application/vnd.apple.mpegurl": {}, "video/mp2t": {}},
            "description": "A media playlist, never to be cached, or a segment, which never changes.",
        },
    },
)
async def read_live_file(context: Ctx, who: Who, channel_id: Id, path: str) -> Response:
    """`index.m3u8` is the channel's HLS, `preview/index.m3u8` its small preview. Open to pages of any origin."""
    if who.role != "admin":
        async with context.store.read() as tx:
            await channel_row(tx, who, channel_id)
    try:
        data = await context.files.run(READ_S, read_below, str(context.settings.live_root), channel_id, path)
    except TimeoutError:
        raise Unavailable(f"the media disk did not answer within {READ_S:.0f} s") from None
    if path.endswith(".m3u8"):
        headers = {**_CORS, "Cache-Control": "no-store"}
        return Response(data, media_type="application/vnd.apple.mpegurl", headers=headers)
    return Response(
        data, media_type="video/mp2t", headers={**_CORS, "Cache-Control": "public, max-age=3600, immutable"}
    )


@files.options("/live/{channel_id}/{path:path}", status_code=204, include_in_schema=False)
async def live_preflight() -> Response:
    """A page of another origin may send the token and ask for ranges."""
    return Response(
        status_code=204,
        headers={
            **_CORS,
            "Access-Control-Allow-Methods": "GET",
            "Access-Control-Allow-Headers": "Authorization, Range",
            "Access-Control-Max-Age": "600",
        },
    )


def read_below(root: str, channel_id: str, path: str) -> bytes:
    """The bytes of one of the names that a channel's HLS has, and of no other. Blocks. Raises NotFound.

    No link is followed on the way but ``index.m3u8`` itself, and that only to a media playlist beside it.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise NotFound(f"{path[:100]!r} is no file of a channel's HLS")
    opened: list[int] = []
    try:
        directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        opened.append(directory)
        for part in (channel_id, match["preview"] and "preview", match["epoch"]):
            if part:
                directory = os.open(part, _DIRECTORY, dir_fd=directory)
                opened.append(directory)
        name = match["segment"] or f"{match['list'] or 'index'}.m3u8"
        if match["index"]:
            name = os.readlink(name, dir_fd=directory)
            if _LINK.fullmatch(name) is None:
                raise NotFound("index.m3u8 leads to no media playlist beside it")
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        opened.append(file)
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise NotFound(f"{path} is no file of a channel's HLS")
        with os.fdopen(os.dup(file), "rb") as stream:
            return stream.read(LARGEST)
    except OSError as error:
        raise NotFound(f"channel {channel_id} has no {path}: {error.strerror}") from None
    finally:
        for descriptor in opened:
            os.close(descriptor)
