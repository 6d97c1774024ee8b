"""What will air, checked ahead."""

from datetime import timedelta
from typing import Annotated

from fastapi import Query

from supervisor.ahead.looking import Due
from supervisor.api.context import Ctx, Who
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.api.routes.channels import channel_row
from supervisor.schemas.ahead import Ahead, AheadFinding, AheadItem
from supervisor.schemas.base import Id

routes = router("ahead")


@routes.get("/channels/{channel_id}/ahead", responses=documented(404))
async def read_ahead(
    context: Ctx,
    who: Who,
    channel_id: Id,
    hours: Annotated[int, Query(ge=1, le=336, description="How far ahead is looked.")] = 24,
) -> Ahead:
    """Coming items, filler and the STANDBY clip that are not as they should be, each with when it is needed. Looks at
    the files as they lie now."""
    async with context.store.read() as tx:
        channel = await channel_row(tx, who, channel_id)
    report = await context.ahead.of(channel, timedelta(hours=hours))
    return Ahead(
        channel_id=channel_id, at=report.at, checked=report.checked, items=tuple(_item(due) for due in report.due)
    )


def _item(due: Due) -> AheadItem:
    return AheadItem(
        item_id=due.item.id,
        position=0 if due.role == "standby" else due.item.position,
        title=due.item.title,
        house_id=due.house_id,
        needed_by=due.needed_by,
        severity=due.severity,
        findings=tuple(AheadFinding(code=it.code, severity=it.severity, text=it.text) for it in due.findings),
        role=due.role,
    )
