"""What a new label does to its object, its lease and the labels before it."""

from collections.abc import Sequence

from alembic import op

revision: str = "2026_11_22_triggers"
down_revision: str | Sequence[str] | None = "2026_11_22_tables"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOCK_TIMEOUT = "5s"

OPEN_OPINIONS = """
CREATE FUNCTION open_opinions(of_campaign bigint, of_objects bigint[]) RETURNS void
LANGUAGE sql AS $$
    -- The place of the next opinion on objects whose places are all taken.
    INSERT INTO candidate (campaign_id, sky_object_id, split, slot, random_key, state)
    SELECT c.campaign_id, c.sky_object_id, c.split, max(c.slot) + 1, c.random_key,
        'free'
    FROM candidate c JOIN campaign ON campaign.id = c.campaign_id
    WHERE c.campaign_id = of_campaign AND c.sky_object_id = ANY (of_objects)
    GROUP BY c.campaign_id, c.sky_object_id, c.split, c.random_key, campaign.overlap
    HAVING count(*) < campaign.overlap AND count(*) FILTER (WHERE c.state = 'free') = 0
    ON CONFLICT DO NOTHING
$$
"""

ACCEPT_LABEL = """
CREATE FUNCTION accept_label() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_object varchar;
BEGIN
    -- Candidates are the campaign's pool, less what it may not see.
    SELECT split INTO of_object FROM candidate
    WHERE campaign_id = NEW.campaign_id AND sky_object_id = NEW.sky_object_id
    LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'object % cannot be labeled in campaign %: it is in another'
            ' pool, or held out', NEW.sky_object_id, NEW.campaign_id
            USING ERRCODE = 'foreign_key_violation',
                TABLE = 'label', CONSTRAINT = 'label_is_of_a_candidate';
    END IF;
    IF NEW.split IS NULL THEN
        NEW.split := of_object;
    END IF;
    RETURN NEW;
END
$$
"""

RETIRE_CANDIDATE = """
CREATE FUNCTION retire_candidate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    opinions smallint;
    place candidate%ROWTYPE;
BEGIN
    IF NEW.supersedes_id IS NOT NULL THEN
        RETURN NULL;  -- the superseded label has retired it
    END IF;
    -- Turns are those of db/repositories/locks.py: no ranking is replaced meanwhile,
    PERFORM pg_advisory_xact_lock_shared(1, NEW.campaign_id::int);
    SELECT overlap INTO opinions FROM campaign WHERE id = NEW.campaign_id;
    IF opinions > 1 THEN  -- and of second opinions there is one at a time.
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
    SET state = 'labeled', labeler = NEW.labeler, lease_id = NULL,
        rank = NULL, score = NULL, reason = NULL
    WHERE id = place.id;
    UPDATE lease SET state = 'labeled', closed_at = clock_timestamp()
    WHERE id = place.lease_id AND state = 'open'
        AND NOT EXISTS (SELECT FROM candidate WHERE lease_id = place.lease_id);
    IF opinions > 1 THEN
        PERFORM open_opinions(NEW.campaign_id, ARRAY[NEW.sky_object_id]);
    END IF;
    RETURN NULL;
END
$$
"""

KEEP_LABELS = """
CREATE FUNCTION keep_labels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- A campaign that is deleted takes its labels with it.
        IF NOT EXISTS (SELECT FROM campaign WHERE id = OLD.campaign_id) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'labels are never changed (%): add one that supersedes the old one',
        TG_OP USING ERRCODE = 'restrict_violation',
            TABLE = 'label', CONSTRAINT = 'label_is_append_only';
END
$$
"""

TRIGGERS = (
    "CREATE TRIGGER accept_label BEFORE INSERT ON label"
    " FOR EACH ROW EXECUTE FUNCTION accept_label()",
    "CREATE TRIGGER retire_candidate AFTER INSERT ON label"
    " FOR EACH ROW EXECUTE FUNCTION retire_candidate()",
    "CREATE TRIGGER keep_labels BEFORE UPDATE OR DELETE ON label"
    " FOR EACH ROW EXECUTE FUNCTION keep_labels()",
    "CREATE TRIGGER keep_all_labels BEFORE TRUNCATE ON label"
    " FOR EACH STATEMENT EXECUTE FUNCTION keep_labels()",
)

UNDO = (
    "DROP TRIGGER accept_label ON label",
    "DROP TRIGGER retire_candidate ON label",
    "DROP TRIGGER keep_labels ON label",
    "DROP TRIGGER keep_all_labels ON label",
    "DROP FUNCTION keep_labels()",
    "DROP FUNCTION retire_candidate()",
    "DROP FUNCTION accept_label()",
    "DROP FUNCTION open_opinions(bigint, bigint[])",
)


def upgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    for statement in (
        OPEN_OPINIONS,
        ACCEPT_LABEL,
        RETIRE_CANDIDATE,
        KEEP_LABELS,
        *TRIGGERS,
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    for statement in UNDO:
        op.execute(statement)
