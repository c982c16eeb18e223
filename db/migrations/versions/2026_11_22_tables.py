"""Every table with its constraints and indexes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "2026_11_22_tables"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOCK_TIMEOUT = "5s"
"""Better a migration that fails at once than a service that queues behind it."""


def upgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "viewer",
                "labeler",
                "admin",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_api_token_name_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
        sa.UniqueConstraint("name", name=op.f("uq_api_token_name")),
    )
    op.create_table(
        "pool",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "importing",
                "ready",
                name="poolstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("arrays", sa.Text(), nullable=False),
        sa.Column("manifest_digest", sa.Text(), nullable=True),
        sa.Column("n_objects", sa.BigInteger(), nullable=False),
        sa.Column(
            "modalities", postgresql.JSONB(astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "known_targets", postgresql.JSONB(astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state <> 'ready' OR (manifest_digest IS NOT NULL AND n_objects > 0"
            " AND published_at IS NOT NULL)",
            name=op.f("ck_pool_ready_is_complete"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool")),
        sa.UniqueConstraint("name", name=op.f("uq_pool_name")),
    )
    op.create_table(
        "worker_seen",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column(
            "seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_seen")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "paused",
                "finished",
                name="campaignstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("targets", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("model", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("strategy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("retrain", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("random_share", sa.Double(), nullable=False),
        sa.Column("overlap", sa.SmallInteger(), nullable=False),
        sa.Column("budget", sa.BigInteger(), nullable=True),
        sa.Column("evaluation_size", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("served_run_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_campaign_name_not_empty")),
        sa.CheckConstraint(
            "budget IS NULL OR budget >= 0",
            name=op.f("ck_campaign_budget_not_negative"),
        ),
        sa.CheckConstraint(
            "evaluation_size >= 0",
            name=op.f("ck_campaign_evaluation_size_not_negative"),
        ),
        sa.CheckConstraint(
            "jsonb_array_length(targets) > 0", name=op.f("ck_campaign_has_targets")
        ),
        sa.CheckConstraint(
            "overlap BETWEEN 1 AND 9", name=op.f("ck_campaign_overlap_is_small")
        ),
        sa.CheckConstraint(
            "random_share BETWEEN 0 AND 1",
            name=op.f("ck_campaign_random_share_is_a_share"),
        ),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["pool.id"], name=op.f("fk_campaign_pool_id_pool")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("name", name=op.f("uq_campaign_name")),
    )
    op.create_table(
        "sky_object",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("ra", sa.Double(), nullable=False),
        sa.Column("dec", sa.Double(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("has_photometry", sa.Boolean(), nullable=False),
        sa.Column("has_image", sa.Boolean(), nullable=False),
        sa.Column("has_spectrum", sa.Boolean(), nullable=False),
        sa.Column(
            "split",
            sa.Enum(
                "pool",
                "evaluation",
                "excluded",
                name="split",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "object_id <> ''", name=op.f("ck_sky_object_object_id_not_empty")
        ),
        sa.CheckConstraint(
            "dec BETWEEN -90 AND 90", name=op.f("ck_sky_object_dec_in_degrees")
        ),
        sa.CheckConstraint(
            "ra >= 0 AND ra < 360", name=op.f("ck_sky_object_ra_in_degrees")
        ),
        sa.ForeignKeyConstraint(
            ["pool_id"],
            ["pool.id"],
            name=op.f("fk_sky_object_pool_id_pool"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sky_object")),
        sa.UniqueConstraint("id", "split", name=op.f("uq_sky_object_id_split")),
        sa.UniqueConstraint(
            "pool_id", "object_id", name=op.f("uq_sky_object_pool_id_object_id")
        ),
        sa.UniqueConstraint("pool_id", "row", name=op.f("uq_sky_object_pool_id_row")),
    )
    op.create_table(
        "stored_answer",
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_digest", sa.Text(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["api_token.id"],
            name=op.f("fk_stored_answer_token_id_api_token"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "token_id", "path", "key", name=op.f("pk_stored_answer")
        ),
    )
    op.create_index(
        "ix_stored_answer_created_at", "stored_answer", ["created_at"], unique=False
    )
    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "full",
                "head",
                "score",
                "embed",
                name="runkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "running",
                "published",
                "refused",
                "failed",
                "canceled",
                name="runstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("n_labels", sa.BigInteger(), nullable=False),
        sa.Column("label_digest", sa.Text(), nullable=False),
        sa.Column("head_digest", sa.Text(), nullable=True),
        sa.Column("config_digest", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("base_run_id", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("checkpoint_digest", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "rung_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(state IN ('planned', 'running')) = (finished_at IS NULL)",
            name=op.f("ck_run_live_until_finished"),
        ),
        sa.CheckConstraint(
            "kind <> 'head' OR base_run_id IS NOT NULL",
            name=op.f("ck_run_a_head_needs_a_network"),
        ),
        sa.CheckConstraint(
            "state <> 'running' OR (heartbeat_at IS NOT NULL AND worker IS NOT NULL"
            " AND started_at IS NOT NULL AND deadline_at IS NOT NULL)",
            name=op.f("ck_run_running_has_a_heartbeat"),
        ),
        sa.CheckConstraint("n_labels >= 0", name=op.f("ck_run_n_labels_not_negative")),
        sa.CheckConstraint(
            "progress BETWEEN 0 AND 1", name=op.f("ck_run_progress_is_a_share")
        ),
        sa.ForeignKeyConstraint(
            ["base_run_id"], ["run.id"], name=op.f("fk_run_base_run_id_run")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_run_campaign_id_campaign"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_campaign_id", "run", ["campaign_id", "id"], unique=False)
    op.create_index(
        "ix_run_finished", "run", ["campaign_id", "kind", "finished_at"], unique=False
    )
    op.create_index(
        "ix_run_live",
        "run",
        ["state", "heartbeat_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('planned', 'running')"),
    )
    op.create_index(
        "uq_run_one_live",
        "run",
        ["campaign_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state IN ('planned', 'running')"),
    )
    op.create_table(
        "curve_point",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "arm",
            sa.Enum(
                "active",
                "random",
                "active_matched",
                name="arm",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("n_labels", sa.BigInteger(), nullable=False),
        sa.Column("n_evaluation", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["run.id"],
            name=op.f("fk_curve_point_run_id_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_curve_point")),
        sa.UniqueConstraint(
            "run_id",
            "arm",
            "target",
            "metric",
            name=op.f("uq_curve_point_run_id_arm_target_metric"),
        ),
    )
    op.create_table(
        "lease",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("labeler", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "labeled",
                "released",
                "expired",
                name="leasestate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("exhausted", sa.Boolean(), nullable=False),
        sa.Column(
            "opened_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (closed_at IS NULL)",
            name=op.f("ck_lease_open_until_closed"),
        ),
        sa.CheckConstraint(
            "expires_at > opened_at", name=op.f("ck_lease_expires_later")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_lease_campaign_id_campaign"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_lease_run_id_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease")),
    )
    op.create_index(
        "ix_lease_campaign_id", "lease", ["campaign_id", "id"], unique=False
    )
    op.create_index(
        "ix_lease_open_by_expiry",
        "lease",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "prediction",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("sky_object_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("targets", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_prediction_campaign_id_campaign"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_prediction_run_id_run")
        ),
        sa.ForeignKeyConstraint(
            ["sky_object_id"],
            ["sky_object.id"],
            name=op.f("fk_prediction_sky_object_id_sky_object"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "campaign_id", "sky_object_id", name=op.f("pk_prediction")
        ),
    )
    op.create_index(
        "ix_prediction_score",
        "prediction",
        ["campaign_id", sa.literal_column("score DESC")],
        unique=False,
    )
    op.create_table(
        "candidate",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("sky_object_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "split",
            sa.Enum(
                "pool",
                "evaluation",
                "excluded",
                name="split",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("random_key", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "free",
                "leased",
                "labeled",
                name="candidatestate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("lease_id", sa.BigInteger(), nullable=True),
        sa.Column("labeler", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'free') = (labeler IS NULL)",
            name=op.f("ck_candidate_free_until_somebody_has_it"),
        ),
        sa.CheckConstraint(
            "(state = 'leased') = (lease_id IS NOT NULL)",
            name=op.f("ck_candidate_leased_by_a_lease"),
        ),
        sa.CheckConstraint(
            "rank IS NULL OR split = 'pool'",
            name=op.f("ck_candidate_only_the_pool_is_ranked"),
        ),
        sa.CheckConstraint(
            "rank IS NULL OR state <> 'labeled'",
            name=op.f("ck_candidate_labeled_is_not_ranked"),
        ),
        sa.CheckConstraint(
            "split <> 'excluded'", name=op.f("ck_candidate_excluded_is_never_asked_for")
        ),
        sa.CheckConstraint(
            "(rank IS NULL) = (score IS NULL) AND (rank IS NULL) = (reason IS NULL)",
            name=op.f("ck_candidate_ranked_as_a_whole"),
        ),
        sa.CheckConstraint(
            "rank IS NULL OR slot = 0",
            name=op.f("ck_candidate_only_first_opinions_are_ranked"),
        ),
        sa.CheckConstraint("slot >= 0", name=op.f("ck_candidate_slot_not_negative")),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_candidate_campaign_id_campaign"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["lease.id"], name=op.f("fk_candidate_lease_id_lease")
        ),
        sa.ForeignKeyConstraint(
            ["sky_object_id", "split"],
            ["sky_object.id", "sky_object.split"],
            name=op.f("fk_candidate_sky_object_id_split_sky_object"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidate")),
        sa.UniqueConstraint(
            "campaign_id",
            "sky_object_id",
            "slot",
            name=op.f("uq_candidate_campaign_id_sky_object_id_slot"),
        ),
    )
    op.create_index(
        "ix_candidate_free_by_key",
        "candidate",
        ["campaign_id", "split", "random_key"],
        unique=False,
        postgresql_where=sa.text("state = 'free' AND slot = 0"),
    )
    op.create_index(
        "ix_candidate_free_by_rank",
        "candidate",
        ["campaign_id", "rank"],
        unique=False,
        postgresql_where=sa.text("state = 'free' AND rank IS NOT NULL"),
    )
    op.create_index(
        "ix_candidate_free_opinions",
        "candidate",
        ["campaign_id", "random_key", "slot"],
        unique=False,
        postgresql_where=sa.text("state = 'free' AND slot > 0"),
    )
    op.create_index(
        "ix_candidate_lease_id",
        "candidate",
        ["lease_id"],
        unique=False,
        postgresql_where=sa.text("lease_id IS NOT NULL"),
    )
    op.create_index(
        "ix_candidate_taken",
        "candidate",
        ["campaign_id", "state"],
        unique=False,
        postgresql_where=sa.text("state <> 'free'"),
    )
    op.create_index(
        "uq_candidate_one_opinion",
        "candidate",
        ["campaign_id", "sky_object_id", "labeler"],
        unique=True,
        postgresql_where=sa.text("labeler IS NOT NULL"),
    )
    op.create_table(
        "label",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("sky_object_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "split",
            sa.Enum(
                "pool",
                "evaluation",
                "excluded",
                name="split",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "errors",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("quality", sa.SmallInteger(), server_default="4", nullable=False),
        sa.Column("labeler", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), server_default="api", nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("lease_id", sa.BigInteger(), nullable=True),
        sa.Column("late", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("supersedes_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "jsonb_typeof(errors) = 'object'", name=op.f("ck_label_errors_by_target")
        ),
        sa.CheckConstraint(
            "jsonb_typeof(values) = 'object'", name=op.f("ck_label_values_by_target")
        ),
        sa.CheckConstraint(
            "split <> 'excluded'", name=op.f("ck_label_excluded_is_never_labeled")
        ),
        sa.CheckConstraint(
            "values <> '{}'::jsonb OR quality = 0",
            name=op.f("ck_label_no_values_no_quality"),
        ),
        sa.CheckConstraint(
            "quality BETWEEN 0 AND 4", name=op.f("ck_label_quality_0_to_4")
        ),
        sa.CheckConstraint(
            "supersedes_id <> id", name=op.f("ck_label_supersedes_another")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_label_campaign_id_campaign"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["lease.id"], name=op.f("fk_label_lease_id_lease")
        ),
        sa.ForeignKeyConstraint(
            ["sky_object_id", "split"],
            ["sky_object.id", "sky_object.split"],
            name=op.f("fk_label_sky_object_id_split_sky_object"),
        ),
        sa.ForeignKeyConstraint(
            ["supersedes_id", "campaign_id", "sky_object_id"],
            ["label.id", "label.campaign_id", "label.sky_object_id"],
            name="fk_label_supersedes_same_object",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint(
            "id",
            "campaign_id",
            "sky_object_id",
            name=op.f("uq_label_id_campaign_id_sky_object_id"),
        ),
        sa.UniqueConstraint(
            "id", "sky_object_id", "split", name=op.f("uq_label_id_sky_object_id_split")
        ),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_label_supersedes_id")),
    )
    op.create_index(
        "ix_label_campaign_id", "label", ["campaign_id", "id"], unique=False
    )
    op.create_index(
        "ix_label_object", "label", ["campaign_id", "sky_object_id"], unique=False
    )
    op.create_index(
        "uq_label_one_opinion",
        "label",
        ["campaign_id", "sky_object_id", "labeler"],
        unique=True,
        postgresql_where=sa.text("supersedes_id IS NULL"),
    )
    op.create_table(
        "lease_item",
        sa.Column("lease_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("candidate_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("prediction", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidate.id"],
            name=op.f("fk_lease_item_candidate_id_candidate"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["lease_id"],
            ["lease.id"],
            name=op.f("fk_lease_item_lease_id_lease"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("lease_id", "position", name=op.f("pk_lease_item")),
        sa.UniqueConstraint(
            "lease_id", "candidate_id", name=op.f("uq_lease_item_lease_id_candidate_id")
        ),
    )
    op.create_index(
        "ix_lease_item_candidate_id", "lease_item", ["candidate_id"], unique=False
    )
    op.create_table(
        "training_label",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "network",
                "head",
                name="trainingrole",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("label_id", sa.BigInteger(), nullable=False),
        sa.Column("sky_object_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "split",
            sa.Enum(
                "pool",
                "evaluation",
                "excluded",
                name="split",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "split = 'pool'", name=op.f("ck_training_label_only_the_pool_trains")
        ),
        sa.ForeignKeyConstraint(
            ["label_id", "sky_object_id", "split"],
            ["label.id", "label.sky_object_id", "label.split"],
            name=op.f("fk_training_label_label_id_sky_object_id_split_label"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["run.id"],
            name=op.f("fk_training_label_run_id_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "role", "label_id", name=op.f("pk_training_label")
        ),
    )
    op.create_foreign_key(
        "fk_campaign_served_run_id_run", "campaign", "run", ["served_run_id"], ["id"]
    )


def downgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    op.drop_constraint("fk_campaign_served_run_id_run", "campaign")
    op.drop_table("training_label")
    op.drop_table("lease_item")
    op.drop_table("label")
    op.drop_table("candidate")
    op.drop_table("prediction")
    op.drop_table("lease")
    op.drop_table("curve_point")
    op.drop_table("run")
    op.drop_table("stored_answer")
    op.drop_table("sky_object")
    op.drop_table("campaign")
    op.drop_table("worker_seen")
    op.drop_table("pool")
    op.drop_table("api_token")
