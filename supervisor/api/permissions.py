"""What every route needs, in one table, and who has it. What is not in the table is refused."""

import enum
from collections.abc import Mapping
from typing import Final

from supervisor.errors import Forbidden, NotFound, Unauthenticated
from supervisor.principal import Principal, Role


class Permission(enum.Enum):
    """``OPEN`` needs nobody; every other needs a principal whose role has it."""

    OPEN = "open"
    VIEW = "view"
    """Read one's own projects' things."""
    VIEW_ALL = "view_all"
    """Read what spans all projects: the event stream, the audit log, nodes."""
    OPERATE = "operate"
    """Change what is on air."""
    SCHEDULE = "schedule"
    """Change playlists and assets."""
    CONFIGURE = "configure"
    """Change channels, nodes and projects."""
    ADMINISTER = "administer"
    """Change the supervisor itself."""


_VIEWER: Final = frozenset({Permission.OPEN, Permission.VIEW})
GRANTS: Final[Mapping[Role, frozenset[Permission]]] = {
    "viewer": _VIEWER,
    "operator": _VIEWER | {Permission.OPERATE, Permission.SCHEDULE},
    "admin": frozenset(Permission),
    "system": frozenset(),  # acts in process, never through a door
}

ROUTES: Final[Mapping[str, Permission]] = {
    "healthz": Permission.OPEN,
    "readyz": Permission.OPEN,
    # A browser asks this before it sends the token, and never with it (Fetch, CORS-preflight).
    "live_preflight": Permission.OPEN,
    "read_openapi": Permission.VIEW,
    "read_supervisor": Permission.VIEW,
    "shut_down_supervisor": Permission.ADMINISTER,
    "stream_events": Permission.VIEW_ALL,
    "read_metrics": Permission.VIEW_ALL,
    "list_audit": Permission.VIEW_ALL,
    "list_projects": Permission.VIEW,
    "read_project": Permission.VIEW,
    "create_project": Permission.CONFIGURE,
    "update_project": Permission.CONFIGURE,
    "delete_project": Permission.CONFIGURE,
    "list_nodes": Permission.VIEW_ALL,
    "read_node": Permission.VIEW_ALL,
    "read_what_if": Permission.VIEW_ALL,
    "create_node": Permission.CONFIGURE,
    "update_node": Permission.CONFIGURE,
    "delete_node": Permission.CONFIGURE,
    # Each of them lets something play that may play elsewhere still: a person's word against a machine's silence.
    "declare_node_lost": Permission.ADMINISTER,
    "accept_node": Permission.ADMINISTER,
    "release_claim": Permission.ADMINISTER,
    "list_claims": Permission.VIEW_ALL,
    "list_node_claims": Permission.VIEW_ALL,
    "list_media_roots": Permission.VIEW_ALL,
    # Writes a file into a folder of the supervisor's machine that the caller names.
    "create_media_root": Permission.CONFIGURE,
    "delete_media_root": Permission.CONFIGURE,
    "list_watched_folders": Permission.VIEW_ALL,
    # Has files of the supervisor's machine read, and moved within the folder.
    "create_watched_folder": Permission.CONFIGURE,
    "delete_watched_folder": Permission.CONFIGURE,
    "read_ahead": Permission.VIEW,
    "read_coming": Permission.VIEW,
    "list_history": Permission.VIEW_ALL,
    "make_drill": Permission.CONFIGURE,
    "list_drills": Permission.VIEW_ALL,
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
    "read_handover": Permission.VIEW_ALL,
    "list_shift_notes": Permission.VIEW_ALL,
    "add_shift_note": Permission.OPERATE,
    "list_controls": Permission.VIEW_ALL,
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
    "list_alarms": Permission.VIEW_ALL,
    "acknowledge_alarm": Permission.OPERATE,
    "shelve_alarm": Permission.OPERATE,
    "unshelve_alarm": Permission.OPERATE,
    "list_instructions": Permission.VIEW_ALL,
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
"""By operation id."""

ANYWHERE: Final = frozenset({"shut_down_supervisor"})
"""What changes something and is no leader's to do: every other such call is refused by a supervisor that follows."""

CHANGES_NOTHING: Final = frozenset({"preview_rundown_edit"})
"""Calls with a body that only read: a console asks while somebody types, and no row of the audit is about that."""


UNWRITTEN: Final = frozenset({"renew_controls"})
"""What changes nothing that anybody asks for later: each console says every few seconds that it is still there."""


def permit(operation_id: str, principal: Principal | None) -> None:
    """Raises Unauthenticated without a principal, Forbidden without the permission or without an entry above."""
    permission = ROUTES.get(operation_id)
    if permission is Permission.OPEN:
        return
    if principal is None:
        raise Unauthenticated(
            "this call names nobody",
            hint="On TCP send the header `Authorization: Bearer <token>` with what $MCR_HOME/token holds.",
        )
    if permission is None or permission not in GRANTS[principal.role]:
        raise Forbidden(f"{principal.name} ({principal.role}) may not {operation_id.replace('_', ' ')}")


def may(principal: Principal, permission: Permission) -> bool:
    """For what only a part of a call needs."""
    return permission in GRANTS[principal.role]


def sees(principal: Principal, project_id: str | None) -> bool:
    """Whether a thing of this project is there at all for the principal; what has no project is an admin's."""
    return principal.role == "admin" or (project_id is not None and project_id in principal.projects)


def require_sight(principal: Principal, project_id: str | None, kind: str, thing_id: str) -> None:
    """404 and not 403 across projects: nobody learns what others have."""
    if not sees(principal, project_id):
        raise NotFound(f"there is no {kind} {thing_id}")
