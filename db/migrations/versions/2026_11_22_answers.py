"""Stored answers are kept as they were sent: jsonb would order their fields anew."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "2026_11_22_answers"
down_revision: str | Sequence[str] | None = "2026_11_22_scans"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOCK_TIMEOUT = "5s"


def upgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    op.alter_column(
        "stored_answer", "answer", type_=sa.Text(), postgresql_using="answer::text"
    )


def downgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    op.alter_column(
        "stored_answer",
        "answer",
        type_=postgresql.JSONB(),
        postgresql_using="answer::jsonb",
    )
