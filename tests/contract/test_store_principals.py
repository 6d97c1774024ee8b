"""Who may come in, and the audit log that nothing changes, on every database."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from db.errors import Missing, StaleRev, Taken
from db.store import Store


async def test_principals_their_grants_and_tokens(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        sport = await tx.projects.add("Sport", now)
        ann = await tx.principals.add("ann", "person", "operator", "ann", now)
        await tx.principals.grant(ann.id, sport.id, operates=True, edits=False)
        await tx.principals.grant(ann.id, sport.id, operates=False, edits=True)
        await tx.principals.add_token("0" * 12, "d" * 64, ann.id, "desk", by="root", now=now, expires_at=now)
        await tx.principals.token_used("0" * 12, now, "tcp 192.0.2.7")
        await tx.principals.token_used("0" * 12, now - timedelta(hours=1), "tcp older")
    async with store.write() as tx:
        for kind, unix_user in (("name", None), ("unix_user", "ann")):
            with pytest.raises(Taken) as taken:
                await tx.principals.add("ann" if kind == "name" else "bea", "person", "viewer", unix_user, now)
            assert taken.value.field == kind
        with pytest.raises(Missing):
            await tx.principals.grant(ann.id, "f" * 32, operates=False, edits=False)
        with pytest.raises(StaleRev):
            await tx.principals.update(ann.id, 7, {"active": False})
    async with store.read() as tx:
        [grant] = await tx.principals.grants(ann.id)
        assert (grant.project_id, grant.operates, grant.edits) == (sport.id, False, True)
        [token] = await tx.principals.tokens()
        assert (token.last_used_from, token.last_used_at) == ("tcp 192.0.2.7", now)
    async with store.write() as tx:
        revoked = await tx.principals.revoke_token("0" * 12, "root", now)
        again = await tx.principals.revoke_token("0" * 12, "kim", now + timedelta(hours=1))
        assert (revoked.revoked_by, again.revoked_by, again.revoked_at) == ("root", "root", now)
        await tx.principals.delete(ann.id, ann.rev)
    async with store.read() as tx:
        assert (await tx.principals.list(), await tx.principals.grants(), await tx.principals.tokens()) == ([], [], [])


async def test_a_project_takes_its_grants_along(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        sport = await tx.projects.add("Sport", now)
        ann = await tx.principals.add("ann", "person", "operator", None, now)
        await tx.principals.grant(ann.id, sport.id, operates=True, edits=False)
        await tx.projects.delete(sport.id, sport.rev)
    async with store.read() as tx:
        assert await tx.principals.grants() == []


async def test_nothing_changes_a_row_of_the_audit_log(real_store: Store, now: datetime) -> None:
    """P7. What is older than the ninety days that it is kept may be taken away."""
    long_ago = now - timedelta(days=400)
    async with real_store.write() as tx:
        await tx.audit.add(long_ago, "old", "unix", "take", "", "done")
        await tx.audit.add(now, "kim", "unix", "take", "", "done")
    engine = create_async_engine(real_store.url)
    try:
        for statement in ("UPDATE audit SET principal = 'x'", "DELETE FROM audit WHERE principal = 'kim'"):
            with pytest.raises(IntegrityError, match="audit log"):
                async with engine.begin() as connection:
                    await connection.execute(text(statement))
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM audit WHERE principal = 'old'"))
    finally:
        await engine.dispose()
    async with real_store.read() as tx:
        assert [row.principal for row in await tx.audit.list()] == ["kim"]
