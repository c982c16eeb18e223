"""What the redshift scan says of objects that have spectra."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_22_scans"
down_revision: str | Sequence[str] | None = "2026_11_22_rankings"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOCK_TIMEOUT = "5s"

POOL_SCAN_CHECKS = {
    "scanstate": "state IN ('planned', 'running', 'done', 'failed')",
    "version_positive": "version >= 1",
    "attempts_not_negative": "attempts >= 0",
    "progress_is_a_share": "progress BETWEEN 0 AND 1",
    "running_has_a_heartbeat": "state <> 'running' OR"
    " (heartbeat_at IS NOT NULL AND worker IS NOT NULL)",
    "live_until_finished": "(state IN ('planned', 'running')) = (finished_at IS NULL)",
    "failure_has_a_reason": "state <> 'failed' OR message IS NOT NULL",
}

REDSHIFT_SCAN_CHECKS = {
    "z_is_a_redshift": "z > -1 AND z < 100",
    "z_error_positive": "z_error > 0 AND z_error < 100",
    "confidence_is_a_share": "confidence BETWEEN 0 AND 1",
    "gain_not_negative": "gain >= 0 AND gain < 'Infinity'",
    "spectral_class_known": "spectral_class IN ('GALAXY', 'QSO', 'STAR')",
}


def upgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    op.create_table(
        "pool_scan",
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column(
            "rung_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        *(
            sa.CheckConstraint(check, name=op.f(f"ck_pool_scan_{name}"))
            for name, check in POOL_SCAN_CHECKS.items()
        ),
        sa.ForeignKeyConstraint(
            ["pool_id"],
            ["pool.id"],
            name=op.f("fk_pool_scan_pool_id_pool"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pool_id", name=op.f("pk_pool_scan")),
    )
    op.create_table(
        "redshift_scan",
        sa.Column("sky_object_id", sa.BigInteger(), nullable=False),
        sa.Column("z", sa.Double(), nullable=False),
        sa.Column("z_error", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("gain", sa.Double(), nullable=False),
        sa.Column("spectral_class", sa.Text(), nullable=False),
        *(
            sa.CheckConstraint(check, name=op.f(f"ck_redshift_scan_{name}"))
            for name, check in REDSHIFT_SCAN_CHECKS.items()
        ),
        sa.ForeignKeyConstraint(
            ["sky_object_id"],
            ["sky_object.id"],
            name=op.f("fk_redshift_scan_sky_object_id_sky_object"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sky_object_id", name=op.f("pk_redshift_scan")),
    )


def downgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    op.drop_table("redshift_scan")
    op.drop_table("pool_scan")
