"""Which paths of this machine a principal may name: an admin all, others what lies in media roots and recordings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from supervisor.api.context import Context
from supervisor.api.permissions import Permission, may, sees, sees_all, visible
from supervisor.confined import Confined
from supervisor.errors import Forbidden, Unavailable
from supervisor.principal import Principal
from supervisor.schemas.playout import CasparIn, Playout, PlayoutPatch

_LOOK_S: Final = 5.0


async def confined_to(context: Context, who: Principal) -> Confined | None:
    """None: anywhere."""
    if sees_all(who):
        return None
    recordings = context.settings.media_root / "recordings"
    async with context.store.read() as tx:
        roots = [Path(row.path) for row in await tx.media_roots.list()]
        if may(who, Permission.CONFIGURE):
            own = [row.id for row in await tx.channels.list(projects=visible(who))]
            own += [row.id for row in await tx.recorders.list() if sees(who, row.project_id)]
            roots += [recordings / one for one in own]
    return Confined(tuple(roots), context.settings.home)


async def require_paths(context: Context, who: Principal, paths: Sequence[str]) -> Confined | None:
    """Where the paths may lead, for when they are opened. Raises Forbidden, which tells nothing of what is there."""
    confined = await confined_to(context, who)
    if confined is None or not paths:
        return confined
    try:
        # Of what is no path at all whoever reads it says so.
        named = [Path(path) for path in paths if path.startswith("/") and "\0" not in path]
        outside = await context.media.run(_LOOK_S, confined.outside, named)
    except TimeoutError:
        raise Unavailable(f"where the paths lead was not told within {_LOOK_S:.0f} s: does a disk hang?") from None
    for path in named:
        if path in outside:
            raise Forbidden(
                f"{str(path)[:200]!r} lies in no media root, and only an admin names paths elsewhere",
                hint="An admin makes a folder a media root: mcr media mark FOLDER.",
            )
    return confined


async def require_playout(context: Context, who: Principal, playout: Playout | PlayoutPatch, was: Playout) -> None:
    """Paths of a channel that come: its logo, and the program and the folder of its server. Raises Forbidden."""
    if sees_all(who):
        return
    old = was.caspar or CasparIn()
    new = playout.caspar or old
    if new.program and new.program != old.program:
        raise Forbidden("only an admin names a program that is started on a node")
    before = {was.logo.path if was.logo else "", old.media, ""}
    named = {playout.logo.path if playout.logo else "", new.media} - before
    await require_paths(context, who, sorted(named))
