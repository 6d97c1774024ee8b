"""``/live``: the HLS that channels make, from whichever node makes it, and the thumbnail of what is on air."""

from typing import Final

from fastapi import Response

from supervisor.api.context import Ctx, Who
from supervisor.api.permissions import sees_all
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.api.routes.channels import require_channel
from supervisor.schemas.base import Id

routes = router("pictures")
files = router("live", prefix="")

_CORS: Final = {"Access-Control-Allow-Origin": "*"}


@routes.get(
    "/channels/{channel_id}/thumbnail.jpg",
    response_class=Response,
    responses={**documented(404, 409, 502, 504), 200: {"content": {"image/jpeg": {}}, "description": "A JPEG."}},
)
async def read_thumbnail(context: Ctx, who: Who, channel_id: Id) -> Response:
    """What is on air now."""
    if not sees_all(who):
        await require_channel(context, who, channel_id)
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
    if not sees_all(who):
        await require_channel(context, who, channel_id)
    data = await context.supervision.live_file(channel_id, path)
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
