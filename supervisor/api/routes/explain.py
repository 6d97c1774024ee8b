"""Why a channel is where it is: the sentences that were kept, and what its outputs do when nobody can say."""

import structlog

from db.errors import StoreUnavailable
from db.models import Audit
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.permissions import require_sight
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.api.routes.channels import channel_row
from supervisor.api.routes.failover import holder_of
from supervisor.errors import NotFound
from supervisor.principal import Principal
from supervisor.schemas.base import Id
from supervisor.schemas.explanation import Decision, Explanation, OutputFencing, Refused
from supervisor.schemas.fencing import fencing_words
from supervisor.schemas.stream_key import without_key

routes = router("explain")

KEPT = 50
"""Sentences of an explanation; ``/history`` has the rest."""
REFUSALS = 10
"""Commands that were not done; ``/audit`` has the rest."""

_log = structlog.get_logger(__name__)


@routes.get("/channels/{channel_id}/explain", responses=documented(404))
async def explain_channel(context: Ctx, who: Who, channel_id: Id) -> Explanation:
    """What was decided about the channel lately, why, which commands were refused by what reason, and what its outputs
    do when their node cannot be reached.

    While the database is away: what this supervisor itself remembers.
    """
    try:
        async with context.store.read() as tx:
            row = await channel_row(tx, who, channel_id)
            outputs = await tx.channels.outputs(channel_id)
            events = await tx.events.list(channel_id=channel_id, kinds=("decision", "phase", "alarm"), limit=KEPT)
            refused = await tx.audit.not_done(f"channel:{channel_id}", REFUSALS)
    except StoreUnavailable as error:
        _log.warning("an explanation is from memory", channel=channel_id, why=str(error))
        return _remembered(context, who, channel_id)
    kept = tuple(
        Decision.model_validate({"at": event.at, "sentence": event.text, "kind": event.kind})
        for event in reversed(events)
    )
    return Explanation(
        channel_id=channel_id,
        kept=bool(kept),
        decisions=kept or _passes(context, channel_id),
        outputs=tuple(
            OutputFencing.model_validate(
                {
                    "kind": output.kind,
                    "url": without_key(output.url),
                    "words": fencing_words(output.kind, lease_stop=output.lease_stop),  # type: ignore[arg-type]
                }
            )
            for output in outputs
        ),
        refusals=tuple(_refused(one) for one in reversed(refused)),
        hold_failover_by=holder_of(row),
    )


def _refused(row: Audit) -> Refused:
    """A detail is what the version that wrote it knew."""
    status, code, why = (row.detail.get(name) for name in ("status", "code", "why"))
    return Refused(
        at=row.at,
        by=row.principal,
        action=row.action,
        outcome="failed" if row.outcome == "failed" else "refused",
        status=status if isinstance(status, int) else None,
        code=str(code or ""),
        why=str(why or ""),
    )


def _remembered(context: Context, who: Principal, channel_id: str) -> Explanation:
    """From the passes of this supervisor. Raises NotFound for a channel that it does not know."""
    row = context.supervision.row(channel_id)
    if row is None:
        raise NotFound(f"there is no channel {channel_id}")
    require_sight(who, row.project_id, "channel", channel_id)
    return Explanation(
        channel_id=channel_id,
        kept=False,
        decisions=_passes(context, channel_id),
        hold_failover_by=holder_of(row),
    )


def _passes(context: Context, channel_id: str) -> tuple[Decision, ...]:
    return tuple(Decision(at=one.at, sentence=one.sentence) for one in context.supervision.live.explain(channel_id))
