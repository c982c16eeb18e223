"""Who may do what, which requests were answered, which workers live."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.vocabulary import Role


class ApiToken(Base):
    """A bearer token; only its digest is kept."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    """Also the labeler's name on leases and labels."""
    role: Mapped[Role]
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    revoked_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("name <> ''", name="name_not_empty"),)


class StoredAnswer(Base):
    """The answer to a request with an `Idempotency-Key`, stored in its transaction."""

    __tablename__ = "stored_answer"

    token_id: Mapped[int] = mapped_column(
        ForeignKey("api_token.id", ondelete="CASCADE"), primary_key=True
    )
    path: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_digest: Mapped[str]
    answer: Mapped[str]
    """JSON, byte for byte as it was sent."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    # The sweep forgets old answers.
    __table_args__ = (Index("ix_stored_answer_created_at", "created_at"),)


class WorkerSeen(Base):
    """When a worker process last showed itself."""

    __tablename__ = "worker_seen"

    name: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str]
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
