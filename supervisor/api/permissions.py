"""What every route needs, in one table, and who has it. What is not in the table is refused."""

import enum
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from db.repositories.within import Within
from supervisor.errors import Forbidden, NotFound, Unauthenticated
from supervisor.principal import Principal, Right, Role


class Permission(enum.Enum):
    """``OPEN`` needs nobody; every other needs a principal whose role has it."""

    OPEN = "open"
    VIEW = "view"
    """Read one's own projects' things."""
    OPERATE = "operate"
    """Change what is on air."""
    SCHEDULE = "schedule"
    """Change playlists and assets."""
    CONFIGURE = "configure"
    """Change channels and recorders."""
    VIEW_STATION = "view_station"
    """Read of the station's machines, whatever plays on them."""
    MAINTAIN = "maintain"
    """Change the station's machines and where its media lie."""
    ADMINISTER = "administer"
    """Change projects, principals and the supervisor itself; read what spans all projects."""


_VIEWER: Final = frozenset({Permission.OPEN, Permission.VIEW})
_OPERATOR: Final = _VIEWER | {Permission.OPERATE, Permission.SCHEDULE}
GRANTS: Final[Mapping[Role, frozenset[Permission]]] = {
    "viewer": _VIEWER,
    "operator": _OPERATOR,
    "engineer": _OPERATOR | {Permission.CONFIGURE, Permission.VIEW_STATION, Permission.MAINTAIN},
    "admin": frozenset(Permission),
    "system": frozenset(),  # acts in process, never through a door
}

RIGHTS: Final[Mapping[Permission, Right]] = {
    Permission.OPERATE: "operate",
    Permission.SCHEDULE: "edit",
    Permission.CONFIGURE: "edit",
}
"""The right that a permission takes within the project of what it is used on; with every other one sees it."""

ROUTES: Final[Mapping[str, Permission]] = {
    "healthz": Permission.OPEN,
    "readyz": Permission.OPEN,
    # A browser asks this before it sends the token, and never with it (Fetch, CORS-preflight).
    "live_preflight": Permission.OPEN,
    "read_openapi": Permission.VIEW,
    "read_supervisor": Permission.VIEW,
    "shut_down_supervisor": Permission.ADMINISTER,
    "stream_events": Permission.VIEW,
    "read_metrics": Permission.VIEW_STATION,
    "list_audit": Permission.ADMINISTER,
    # Whatever happens on any channel goes there, and the supervisor's machine calls where it is told to.
    "list_webhooks": Permission.ADMINISTER,
    "create_webhook": Permission.ADMINISTER,
    "delete_webhook": Permission.ADMINISTER,
    "test_webhook": Permission.ADMINISTER,
    "retry_webhook": Permission.ADMINISTER,
    "forget_webhook_deliveries": Permission.ADMINISTER,
    "export_audit": Permission.ADMINISTER,
    "read_myself": Permission.VIEW,
    "list_principals": Permission.ADMINISTER,
    "read_principal": Permission.ADMINISTER,
    "create_principal": Permission.ADMINISTER,
    "update_principal": Permission.ADMINISTER,
    "delete_principal": Permission.ADMINISTER,
    "grant_project": Permission.ADMINISTER,
    "withdraw_project": Permission.ADMINISTER,
    "list_tokens": Permission.ADMINISTER,
    "create_token": Permission.ADMINISTER,
    "revoke_token": Permission.ADMINISTER,
    "list_projects": Permission.VIEW,
    "read_project": Permission.VIEW,
    "create_project": Permission.ADMINISTER,
    "update_project": Permission.ADMINISTER,
    "delete_project": Permission.ADMINISTER,
    "list_nodes": Permission.VIEW,
    "read_node": Permission.VIEW,
    "read_what_if": Permission.VIEW_STATION,
    "create_node": Permission.MAINTAIN,
    "update_node": Permission.MAINTAIN,
    "delete_node": Permission.MAINTAIN,
    # Each of them lets something play that may play elsewhere still: a person's word against a machine's silence.
    "declare_node_lost": Permission.ADMINISTER,
    "accept_node": Permission.ADMINISTER,
    "adopt_node": Permission.ADMINISTER,
    "release_claim": Permission.ADMINISTER,
    "list_claims": Permission.VIEW_STATION,
    "list_node_claims": Permission.VIEW_STATION,
    "list_media_roots": Permission.VIEW_STATION,
    # What lies in them others may have read, and a file is written into the folder that the caller names.
    "create_media_root": Permission.ADMINISTER,
    "delete_media_root": Permission.ADMINISTER,
    "list_watched_folders": Permission.VIEW_STATION,
    # Has files of the supervisor's machine read, and moved within the folder.
    "create_watched_folder": Permission.CONFIGURE,
    "delete_watched_folder": Permission.CONFIGURE,
    "read_ahead": Permission.VIEW,
    "read_coming": Permission.VIEW,
    "list_history": Permission.VIEW,
    # Breaks something on purpose, of whatever project.
    "make_drill": Permission.ADMINISTER,
    "list_drills": Permission.VIEW_STATION,
    "list_channels": Permission.VIEW,
    "read_channel": Permission.VIEW,
    "create_channel": Permission.CONFIGURE,
    "update_channel": Permission.CONFIGURE,
    "delete_channel": Permission.CONFIGURE,
    "read_rundown": Permission.VIEW,
    "preview_rundown_edit": Permission.SCHEDULE,
    "edit_rundown": Permission.SCHEDULE,
    "explain_channel": Permission.VIEW,
    "read_placement": Permission.VIEW,
    "hold_failover": Permission.OPERATE,
    "release_failover": Permission.OPERATE,
    "read_thumbnail": Permission.VIEW,
    "read_live_file": Permission.VIEW,
    "start_channel": Permission.OPERATE,
    "stop_channel": Permission.OPERATE,
    "move_channel": Permission.OPERATE,
    "take": Permission.OPERATE,
    "skip": Permission.OPERATE,
    "play": Permission.OPERATE,
    "pause": Permission.OPERATE,
    "resume": Permission.OPERATE,
    "hold": Permission.OPERATE,
    "recue": Permission.OPERATE,
    "adjust": Permission.OPERATE,
    "drop": Permission.OPERATE,
    "undrop": Permission.OPERATE,
    "standby": Permission.OPERATE,
    "rejoin": Permission.OPERATE,
    "cue": Permission.OPERATE,
    "logo": Permission.OPERATE,
    "read_handover": Permission.VIEW,
    "list_shift_notes": Permission.VIEW,
    "add_shift_note": Permission.OPERATE,
    "list_controls": Permission.VIEW,
    "take_control": Permission.OPERATE,
    "release_control": Permission.OPERATE,
    "renew_controls": Permission.OPERATE,
    "list_recorders": Permission.VIEW,
    "read_recorder": Permission.VIEW,
    "create_recorder": Permission.CONFIGURE,
    "update_recorder": Permission.CONFIGURE,
    "delete_recorder": Permission.CONFIGURE,
    "start_recorder": Permission.OPERATE,
    "stop_recorder": Permission.OPERATE,
    "read_recorder_thumbnail": Permission.VIEW,
    "list_recordings": Permission.VIEW,
    "list_schedules": Permission.VIEW,
    "list_upcoming": Permission.VIEW,
    "read_schedule": Permission.VIEW,
    "create_schedule": Permission.SCHEDULE,
    "update_schedule": Permission.SCHEDULE,
    "delete_schedule": Permission.SCHEDULE,
    "list_playlists": Permission.VIEW,
    "read_playlist": Permission.VIEW,
    "create_playlist": Permission.SCHEDULE,
    "update_playlist": Permission.SCHEDULE,
    "delete_playlist": Permission.SCHEDULE,
    # Reads a file of the supervisor's machine by a path that the caller names. Lists that do ask for it themselves.
    "create_asset": Permission.CONFIGURE,
    "import_playlist": Permission.SCHEDULE,
    "revise_playlist": Permission.SCHEDULE,
    "preview_playlist": Permission.VIEW,
    "list_items": Permission.VIEW,
    "read_item": Permission.VIEW,
    "insert_items": Permission.SCHEDULE,
    "update_item": Permission.SCHEDULE,
    "move_item": Permission.SCHEDULE,
    "delete_item": Permission.SCHEDULE,
    "drop_items": Permission.SCHEDULE,
    "insert_next": Permission.SCHEDULE,
    "undo_edit": Permission.SCHEDULE,
    "list_assets": Permission.VIEW,
    "read_asset": Permission.VIEW,
    "update_asset": Permission.SCHEDULE,
    "delete_asset": Permission.SCHEDULE,
    "list_alarms": Permission.VIEW,
    "acknowledge_alarm": Permission.OPERATE,
    "shelve_alarm": Permission.OPERATE,
    "unshelve_alarm": Permission.OPERATE,
    "list_instructions": Permission.VIEW,
    "set_instruction": Permission.CONFIGURE,
    "delete_instruction": Permission.CONFIGURE,
    "list_as_run": Permission.VIEW,
    "list_as_run_records": Permission.VIEW,
    "export_as_run": Permission.VIEW,
    "verify_as_run": Permission.VIEW,
    "report_service": Permission.VIEW,
    "list_output_delays": Permission.VIEW,
    "list_as_run_notes": Permission.VIEW,
    "add_as_run_note": Permission.OPERATE,
    "list_as_run_issues": Permission.VIEW,
    "issue_as_run": Permission.OPERATE,
    # Writes over what the log shows, though only with what its records say.
    "rebuild_as_run": Permission.ADMINISTER,
}
"""By operation id. What a call may then touch, ``require_sight`` says by the grants of whoever calls."""

ANYWHERE: Final = frozenset({"shut_down_supervisor"})
"""What changes something and is no leader's to do: every other such call is refused by a supervisor that follows."""

CHANGES_NOTHING: Final = frozenset({"preview_rundown_edit"})
"""Calls with a body that only read: a console asks while somebody types, and no row of the audit is about that."""


ON_AIR: Final = frozenset(
    {
        "take", "skip", "play", "pause", "resume", "hold", "recue", "standby", "rejoin", "cue", "adjust", "drop",
        "undrop", "logo",
    }
)  # fmt: skip
"""What is said to a playout that runs. Its answer waits for no disk: the row of the audit follows it."""

UNWRITTEN: Final = frozenset({"renew_controls"})
"""What changes nothing that anybody asks for later: each console says every few seconds that it is still there."""


def permit(operation_id: str, principal: Principal | None) -> Principal | None:
    """Who calls, with the right that this call takes. None is nobody, to whom only what is open is permitted.

    Raises Unauthenticated without a principal, Forbidden without the permission or without an entry above.
    """
    permission = ROUTES.get(operation_id)
    if permission is Permission.OPEN:
        return principal
    if principal is None:
        raise Unauthenticated(
            "this call names nobody",
            hint="On TCP send the header `Authorization: Bearer <token>`; mcr token add makes one. "
            "On the unix socket an admin names you: mcr principal add NAME --unix-user USER.",
        )
    if permission is None or permission not in GRANTS[principal.role]:
        raise Forbidden(f"{principal.name} ({principal.role}) may not {operation_id.replace('_', ' ')}")
    return replace(principal, needs=RIGHTS.get(permission, "view"))


def may(principal: Principal, permission: Permission) -> bool:
    """For what only a part of a call needs."""
    return permission in GRANTS[principal.role]


def may_in(principal: Principal, permission: Permission, project_id: str | None) -> bool:
    """Whether it has the permission, and within the project the right that goes with it."""
    if not may(principal, permission):
        return False
    return sees_all(principal) or project_id in principal.within(RIGHTS.get(permission, "view"))


def visible(principal: Principal) -> frozenset[str] | None:
    """The projects whose things it sees; None: everything. For queries: a page's cursor must tell of nothing else."""
    return None if sees_all(principal) else principal.projects


def within(principal: Principal) -> Within | None:
    """For queries over all projects: what the principal sees. None: everything."""
    if sees_all(principal):
        return None
    return Within(principal.projects, station=may(principal, Permission.VIEW_STATION))


def sees_all(principal: Principal) -> bool:
    """Whether there is nothing that it may not see."""
    return principal.role == "admin"


def sees(principal: Principal, project_id: str | None) -> bool:
    """Whether a thing of this project is there at all for the principal; what has no project is an admin's."""
    return sees_all(principal) or (project_id is not None and project_id in principal.projects)


def require_sight(
    principal: Principal, project_id: str | None, kind: str, thing_id: str, *, right: Right | None = None
) -> None:
    """Whether the principal may do with a thing of this project what the call is for (``right``: only that).

    404 and not 403 across projects: nobody learns what others have. 403 for what is seen and may not be changed.
    """
    if not sees(principal, project_id):
        raise NotFound(f"there is no {kind} {thing_id}")
    needed = right or principal.needs
    if not sees_all(principal) and project_id not in principal.within(needed):
        raise Forbidden(
            f"{principal.name} may see this {kind}, and not {needed} what is in its project",
            hint=f"An admin grants it: mcr principal grant {principal.name} PROJECT --{needed}.",
        )
