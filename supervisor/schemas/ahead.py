"""What is wrong with what will air."""

from typing import Literal

from supervisor.schemas.base import Id, Instant, Schema

AheadSeverity = Literal["critical", "warning", "info"]
AheadRole = Literal["list", "filler", "standby"]


class AheadFinding(Schema):
    """``critical``: it does not air, or not all of it. ``warning``: it airs, and not as it should. ``info``: it is
    converted on the way."""

    code: str
    severity: AheadSeverity
    text: str


class AheadItem(Schema):
    """``needed_by`` null: nobody can tell, behind a hold or while the channel is off and its list plans no times.
    ``role``: filler and the STANDBY clip are needed by now, for they may be at any moment; ``position`` is the place in
    the list or in the filler's, ``item_id`` of the STANDBY clip the asset's."""

    item_id: Id
    position: int
    title: str
    house_id: str | None
    needed_by: Instant | None
    severity: AheadSeverity
    findings: tuple[AheadFinding, ...]
    role: AheadRole = "list"


class Ahead(Schema):
    """``checked``: how many items were looked at; ``items``: those with findings, in the list's order, then filler and
    the STANDBY clip."""

    channel_id: Id
    at: Instant
    checked: int
    items: tuple[AheadItem, ...]
