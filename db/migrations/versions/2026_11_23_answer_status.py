"""A stored answer's status was always 201, and nobody read it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_23_answer_status"
down_revision: str | Sequence[str] | None = "2026_11_22_answers"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOCK_TIMEOUT = "5s"


def upgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    op.drop_column("stored_answer", "status")


def downgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    op.add_column(
        "stored_answer",
        sa.Column("status", sa.BigInteger(), nullable=False, server_default="201"),
    )
    op.alter_column("stored_answer", "status", server_default=None)
