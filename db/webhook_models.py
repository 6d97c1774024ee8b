"""The tables of who is told by webhook, and of what waits to be told."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, new_id


class Webhook(Base):
    """A receiver at ``url`` that is told of alarms, of the as-run, or of both; ``secret`` signs what it is sent.

    ``failing_since`` and ``fault``: since when, and why, nothing is taken; None and empty while all is well.
    """

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    url: Mapped[str] = mapped_column(String(500))
    alarms: Mapped[bool] = mapped_column(Boolean)
    asrun: Mapped[bool] = mapped_column(Boolean)
    secret: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(120))
    delivered_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    fault: Mapped[str] = mapped_column(Text, default="")


class WebhookDelivery(Base):
    """A fact that a receiver was not told of yet, written in the transaction that made it and deleted once it took it.

    ``fact_id`` is the same for all receivers and all attempts. ``dead``: it was given up, and waits for a person.
    """

    __tablename__ = "webhook_delivery"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    fact_id: Mapped[str] = mapped_column(String(32))
    event: Mapped[str] = mapped_column(String(8))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    created_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("event IN ('alarm', 'asrun')", name="event"),
        CheckConstraint("state IN ('waiting', 'dead')", name="state"),
        Index("ix_webhook_delivery_queue", "webhook_id", "state", "id"),
    )
