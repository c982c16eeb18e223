"""Rankings get a table of their own: publishing one locks nobody out.

The function is written out again although `triggers` has most of it: a migration is
history and stays as it was when others change.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_22_rankings"
down_revision: str | Sequence[str] | None = "2026_11_22_triggers"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOCK_TIMEOUT = "5s"

RETIRE_CANDIDATE = """
CREATE OR REPLACE FUNCTION retire_candidate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    opinions smallint;
    place candidate%ROWTYPE;
BEGIN
    IF NEW.supersedes_id IS NOT NULL THEN
        RETURN NULL;  -- the superseded label has retired it
    END IF;
    {turn}SELECT overlap INTO opinions FROM campaign WHERE id = NEW.campaign_id;
    IF opinions > 1 THEN  -- One at a time: a turn of db/repositories/locks.py.
        PERFORM pg_advisory_xact_lock(2, NEW.campaign_id::int);
    END IF;
    -- Leases are locked before candidates, here as everywhere; and two labels that
    -- together complete a lease take turns, so that the second one closes it.
    PERFORM FROM lease WHERE id IN (
        SELECT lease_id FROM candidate
        WHERE campaign_id = NEW.campaign_id AND sky_object_id = NEW.sky_object_id
    ) ORDER BY id FOR UPDATE;
    -- The labeler's own place, else the lease's, else a free one, else anybody's.
    SELECT * INTO place FROM candidate
    WHERE campaign_id = NEW.campaign_id AND sky_object_id = NEW.sky_object_id
        AND state <> 'labeled'
    ORDER BY coalesce(labeler = NEW.labeler, false) DESC,
        coalesce(lease_id = NEW.lease_id, false) DESC, (state = 'free') DESC, slot
    LIMIT 1 FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;  -- one opinion more than was asked for
    END IF;
    UPDATE candidate
    SET state = 'labeled', labeler = NEW.labeler, lease_id = NULL{unranked}
    WHERE id = place.id;
    {unplaced}UPDATE lease SET state = 'labeled', closed_at = clock_timestamp()
    WHERE id = place.lease_id AND state = 'open'
        AND NOT EXISTS (SELECT FROM candidate WHERE lease_id = place.lease_id);
    IF opinions > 1 THEN
        PERFORM open_opinions(NEW.campaign_id, ARRAY[NEW.sky_object_id]);
    END IF;
    RETURN NULL;
END
$$
"""

BEFORE = {
    "turn": """-- A turn of db/repositories/locks.py: no ranking is replaced meanwhile.
    PERFORM pg_advisory_xact_lock_shared(1, NEW.campaign_id::int);
    """,
    "unranked": ", rank = NULL, score = NULL, reason = NULL",
    "unplaced": "",
}

AFTER = {
    "turn": "",
    "unranked": "",
    "unplaced": """-- Asks need not step over it; an order not yet published keeps it.
    DELETE FROM ranked_object USING campaign
    WHERE campaign.id = NEW.campaign_id
        AND ranked_object.run_id = campaign.served_run_id
        AND ranked_object.sky_object_id = NEW.sky_object_id;
    """,
}

KEEP_PLACES = """
INSERT INTO ranked_object (run_id, rank, sky_object_id, split, score)
SELECT campaign.served_run_id, candidate.rank, candidate.sky_object_id,
    candidate.split, candidate.score
FROM candidate JOIN campaign ON campaign.id = candidate.campaign_id
WHERE candidate.rank IS NOT NULL AND candidate.state = 'free'
    AND campaign.served_run_id IS NOT NULL
"""

KEEP_REASON = """
UPDATE run SET ranked_by = (
    SELECT max(candidate.reason) FROM candidate
    WHERE candidate.campaign_id = run.campaign_id AND candidate.rank IS NOT NULL
)
FROM campaign WHERE campaign.served_run_id = run.id
"""

GIVE_PLACES_BACK = """
UPDATE candidate
SET rank = ranked_object.rank, score = ranked_object.score, reason = run.ranked_by
FROM ranked_object JOIN run ON run.id = ranked_object.run_id
JOIN campaign ON campaign.served_run_id = run.id
WHERE candidate.campaign_id = campaign.id AND candidate.slot = 0
    AND candidate.sky_object_id = ranked_object.sky_object_id
    AND candidate.state = 'free' AND run.ranked_by IS NOT NULL
"""

RANK_CHECKS = {
    "only_the_pool_is_ranked": "rank IS NULL OR split = 'pool'",
    "only_first_opinions_are_ranked": "rank IS NULL OR slot = 0",
    "labeled_is_not_ranked": "rank IS NULL OR state <> 'labeled'",
    "ranked_as_a_whole": "(rank IS NULL) = (score IS NULL)"
    " AND (rank IS NULL) = (reason IS NULL)",
}


def upgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    op.add_column("run", sa.Column("ranked_by", sa.Text(), nullable=True))
    op.create_table(
        "ranked_object",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("sky_object_id", sa.BigInteger(), nullable=False),
        sa.Column("split", sa.String(24), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "split IN ('pool', 'evaluation', 'excluded')",
            name=op.f("ck_ranked_object_split"),
        ),
        sa.CheckConstraint(
            "split = 'pool'", name=op.f("ck_ranked_object_only_the_pool_is_ranked")
        ),
        sa.CheckConstraint(
            "rank >= 0", name=op.f("ck_ranked_object_rank_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["run.id"],
            name=op.f("fk_ranked_object_run_id_run"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["sky_object_id", "split"],
            ["sky_object.id", "sky_object.split"],
            name=op.f("fk_ranked_object_sky_object_id_split_sky_object"),
        ),
        sa.PrimaryKeyConstraint("run_id", "rank", name=op.f("pk_ranked_object")),
        sa.UniqueConstraint(
            "run_id",
            "sky_object_id",
            name=op.f("uq_ranked_object_run_id_sky_object_id"),
        ),
    )
    op.execute(KEEP_PLACES)
    op.execute(KEEP_REASON)
    op.execute(RETIRE_CANDIDATE.format(**AFTER))
    op.drop_index("ix_candidate_free_by_rank", table_name="candidate")
    for name in RANK_CHECKS:
        op.drop_constraint(op.f(f"ck_candidate_{name}"), "candidate")
    for name in ("rank", "score", "reason"):
        op.drop_column("candidate", name)


def downgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    op.add_column("candidate", sa.Column("rank", sa.BigInteger(), nullable=True))
    op.add_column("candidate", sa.Column("score", sa.Double(), nullable=True))
    op.add_column("candidate", sa.Column("reason", sa.Text(), nullable=True))
    op.execute(GIVE_PLACES_BACK)
    for name, check in RANK_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_candidate_{name}"), "candidate", check)
    op.create_index(
        "ix_candidate_free_by_rank",
        "candidate",
        ["campaign_id", "rank"],
        postgresql_where=sa.text("state = 'free' AND rank IS NOT NULL"),
    )
    op.execute(RETIRE_CANDIDATE.format(**BEFORE))
    op.drop_table("ranked_object")
    op.drop_column("run", "ranked_by")
