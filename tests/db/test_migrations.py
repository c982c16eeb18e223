import re

import pytest
from sqlalchemy import CheckConstraint, Connection, inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable

from db.base import Base
from db.migrations.upgrade import (
    check,
    current_is_head,
    current_revision,
    downgrade,
    head_revision,
    upgrade,
)
from db.tables import Run
from tests.conftest import Database
from tests.db.factories import (
    label_many,
    make_campaign,
    make_pool,
    object_name,
    rank_all,
    serve_full_run,
    write_label,
)


def test_the_models_and_the_migrated_tables_agree(database: Database) -> None:
    check(database.engine)


def test_the_check_constraints_agree_to_which_alembic_is_blind(
    database: Database,
) -> None:
    with database.engine.begin() as connection:
        migrated = checks_of(connection, "public")
        connection.execute(text("CREATE SCHEMA declared"))
        connection.execute(text("SET LOCAL search_path TO declared"))
        for table in Base.metadata.sorted_tables:
            declared = str(
                CreateTable(table, include_foreign_key_constraints=[]).compile(
                    dialect=postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy
                )
            )
            connection.execute(text(declared.replace(":", r"\:")))
        assert checks_of(connection, "declared") == migrated
    assert len(migrated) == sum(
        isinstance(constraint, CheckConstraint)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
    )


def checks_of(connection: Connection, schema: str) -> dict[str, str]:
    """Table and name to definition of every CHECK constraint."""
    rows = connection.execute(
        text(
            """
            SELECT relname || '.' || conname, pg_get_constraintdef(pg_constraint.oid)
            FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
            JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE contype = 'c' AND nspname = :schema
            """
        ),
        {"schema": schema},
    )
    return dict(rows.all())


def test_a_database_full_of_rows_goes_down_and_up_again(database: Database) -> None:
    with database.sessions.begin() as session:
        fill(session)
    downgrade(database.engine)
    assert current_revision(database.engine) is None
    assert left_behind(database) == {"alembic_version"}
    upgrade(database.engine)
    assert current_is_head(database.engine)
    with database.sessions.begin() as session:
        fill(session)


def test_a_database_full_of_rows_goes_one_step_down_and_up_again(
    database: Database,
) -> None:
    with database.sessions.begin() as session:
        campaign_id = fill(session)
    downgrade(database.engine, "-1")
    assert not current_is_head(database.engine)
    upgrade(database.engine)
    with database.sessions() as session, pytest.raises(IntegrityError, match="never"):
        session.execute(text("DELETE FROM label"))
    with database.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM label")) == 21
        assert session.query(Run).filter_by(campaign_id=campaign_id).count() == 2


def test_places_in_the_order_survive_a_step_down_and_up_again(
    database: Database,
) -> None:
    with database.sessions.begin() as session:
        make_pool(session)
        campaign = make_campaign(session)
        rank_all(session, campaign, numbers=[7, 3, 5])
    order = text(
        "SELECT rank, sky_object_id, score, ranked_by FROM ranked_object"
        " JOIN run ON run.id = run_id ORDER BY rank"
    )
    with database.sessions() as session:
        before = session.execute(order).all()
    downgrade(database.engine, "2026_11_22_triggers")
    with database.sessions() as session:
        columns = text(
            "SELECT rank, sky_object_id, score, reason FROM candidate"
            " WHERE rank IS NOT NULL ORDER BY rank"
        )
        assert session.execute(columns).all() == before
    upgrade(database.engine)
    with database.sessions() as session:
        assert session.execute(order).all() == before
    assert len(before) == 3


def test_upgrading_what_is_up_to_date_changes_nothing(database: Database) -> None:
    upgrade(database.url)
    assert current_revision(database.url) == head_revision()


def test_migrations_are_named_by_date() -> None:
    assert re.fullmatch(r"\d{4}_\d{2}_\d{2}_\w+", head_revision() or "")


def test_nothing_but_tables_indexes_and_functions_of_ours_is_left_after_a_downgrade(
    database: Database,
) -> None:
    downgrade(database.engine)
    with database.engine.connect() as connection:
        functions = connection.scalars(
            text(
                "SELECT proname FROM pg_proc JOIN pg_namespace"
                " ON pg_namespace.oid = pronamespace WHERE nspname = 'public'"
            )
        ).all()
    assert functions == []


def fill(session: Session) -> int:
    """At least one row in every table that a campaign fills."""
    make_pool(session, n_evaluation=5)
    campaign = make_campaign(session, evaluation_size=5, overlap=2)
    label_many(session, campaign, range(20))
    first = write_label(session, campaign, object_name(25))
    assert first > 0
    serve_full_run(session, campaign)
    return campaign.id


def left_behind(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names())
