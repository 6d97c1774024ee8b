"""``GET /metrics``: what Prometheus scrapes."""

from starlette.responses import Response

from supervisor.api.context import Ctx
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.metrics.exposition import MEDIA_TYPE

metrics = router("metrics", prefix="")


@metrics.get(
    "/metrics",
    response_class=Response,
    responses={
        **documented(),
        200: {
            "description": "Prometheus' text format 0.0.4. docs/metrics.md lists what there is.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
    },
)
async def read_metrics(context: Ctx) -> Response:
    """The figures of this supervisor, and of the channels, nodes and recorders as it sees them.

    It costs no sidecar anything: their figures are those of their last heartbeats.
    """
    return Response(await context.metrics.exposition(), headers={"content-type": MEDIA_TYPE})
