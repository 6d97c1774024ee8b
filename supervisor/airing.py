"""Between the store's columns and what people decide of how items and channels air. Defaults are not stored."""

from typing import Final

from db.models import Channel, Item
from supervisor.schemas.airing import Airing
from supervisor.schemas.playout import Playout

AIRING: Final = frozenset(Airing.model_fields)
PLAYOUT: Final = frozenset(Playout.model_fields)


def airing_of(row: Item) -> Airing:
    """How the item airs."""
    return Airing.model_validate(row.airing or {})


def playout_of(row: Channel) -> Playout:
    """How the channel airs beside its list."""
    return Playout.model_validate(row.playout or {})


def kept_airing(values: Airing) -> dict[str, object] | None:
    """For the item's column."""
    return _kept(Airing.model_validate({name: getattr(values, name) for name in AIRING}))


def kept_playout(values: Playout) -> dict[str, object] | None:
    """For the channel's column."""
    return _kept(Playout.model_validate({name: getattr(values, name) for name in PLAYOUT}))


def _kept(values: Airing | Playout) -> dict[str, object] | None:
    return values.model_dump(mode="json", exclude_defaults=True) or None
