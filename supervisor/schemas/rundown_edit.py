"""One edit of a channel's rundown, as it is shown before it is done and as it is done."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Schema
from supervisor.schemas.playlist import ItemIn, ItemPatch, PlaylistEdit


class _Edit(Schema):
    def model_post_init(self, context: object, /) -> None:
        """What is to be done is always sent, by clients too that leave out what nobody set."""
        del context
        self.__pydantic_fields_set__.add("do")


class InsertEdit(_Edit):
    """Before position ``at``; null appends."""

    do: Literal["insert"] = "insert"
    at: Annotated[int, Field(ge=0)] | None = None
    items: Annotated[tuple[ItemIn, ...], Field(min_length=1, max_length=500)]


class ChangeEdit(_Edit):
    """Only what is given changes."""

    do: Literal["change"] = "change"
    item_id: Id
    changes: ItemPatch


class MoveEdit(_Edit):
    """It stands at position ``to`` afterwards."""

    do: Literal["move"] = "move"
    item_id: Id
    to: Annotated[int, Field(ge=0)]


class DuplicateEdit(_Edit):
    """The copy stands right below and follows on what is above it, whatever the start of the original is."""

    do: Literal["duplicate"] = "duplicate"
    item_id: Id


class RemoveEdit(_Edit):
    do: Literal["remove"] = "remove"
    item_id: Id


AnyEdit = Annotated[InsertEdit | ChangeEdit | MoveEdit | DuplicateEdit | RemoveEdit, Field(discriminator="do")]


class RundownEdit(PlaylistEdit):
    """What aired, is on air, cued or due within ``lock_s`` seconds is refused: 409 ``locked``, with why."""

    edit: AnyEdit
    lock_s: Annotated[int, Field(ge=0, le=3600)] = 60
