"""What channels and recorders share: people want them, the leader places them, and their ports go with the epoch."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Final, TypeVar

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import InUse
from db.models import Channel, PortClaim, Recorder
from db.repositories.leader import Fence, Leaders, leads
from db.repositories.ports import LIVE, Ports, PortWanted
from db.repositories.rows import lock_rev, update_by_rev, why_not

Placed = TypeVar("Placed", Channel, Recorder)


class Keep(Enum):
    """Leave a value as it is, where None means something else."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


async def want(
    session: AsyncSession,
    model: type[Placed],
    id: str,  # noqa: A002 - the word of the API
    rev: int,
    desired: str,
    claims: Sequence[PortWanted],
    now: datetime | None,
) -> Placed:
    """``set_desired`` of both, whose docstrings say what it does. ``now`` may be None only without claims to change."""
    if desired not in {"off", "on"}:
        raise ValueError(f"desired is off or on, not {desired!r}")
    if claims and (desired == "off" or now is None):
        raise ValueError("claims belong to a start, and say since when")
    ports, owner = Ports(session), {"owner_kind": model.__tablename__, "owner_id": id}
    async with session.begin_nested():
        row = await update_by_rev(session, model, id, rev, {"desired": desired})
        if now is not None and desired == "on":
            await ports.claim_all(claims, **owner, epoch=row.epoch + 1, now=now, ahead=True)
        elif now is not None:
            await ports.withdraw(**owner, epoch=row.epoch, off=row.phase == "off", now=now)
    return row


async def transition(
    session: AsyncSession,
    model: type[Placed],
    id: str,  # noqa: A002
    *,
    rev: int,
    fence: Fence,
    values: Mapping[str, object],
    raise_epoch: bool,
    claims: Sequence[PortWanted],
    now: datetime,
) -> Placed:
    """``transition`` of both: one statement that looks at rev and term, and the claims of the epoch with it.

    Raises ``NotLeader``, ``Missing``, ``StaleRev`` and ``PortTaken``; then nothing is changed.
    """
    changes: dict[str, object] = {**values, "phase_since": now, "rev": model.rev + 1}
    if raise_epoch:
        changes["epoch"] = model.epoch + 1
    statement = (
        update(model)
        .where(model.id == id, model.rev == rev, leads(fence))
        .values(changes)
        .returning(model)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    async with session.begin_nested():
        row = await session.scalar(statement)
        if row is None:
            await Leaders(session).require(fence)
            raise await why_not(session, model, id, rev)
        await Ports(session).claim_all(claims, owner_kind=model.__tablename__, owner_id=id, epoch=row.epoch, now=now)
    return row


async def clear_away(session: AsyncSession, model: type[Placed], id: str, rev: int) -> None:  # noqa: A002
    """Its released claims, before the row itself goes; the row is kept from others.

    Raises ``Missing``, ``StaleRev``, and ``InUse`` unless it is off, is meant to be, and holds no port.
    """
    noun = model.__tablename__
    row = await lock_rev(session, model, id, rev)
    if row.desired != "off" or row.phase != "off":
        doing = "playout" if noun == "channel" else "recording"
        raise InUse(noun, id, f"{doing} (wanted {row.desired}, phase {row.phase}): stop it first")
    mine = (PortClaim.owner_kind == noun) & (PortClaim.owner_id == id)
    port = await session.scalar(select(PortClaim.port).where(mine, LIVE).limit(1))
    if port is not None:
        raise InUse(noun, id, f"its claim on port {port}: release it first")
    await session.execute(delete(PortClaim).where(mine))
