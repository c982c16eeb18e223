"""Everything that the service needs, asked one by one."""

from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from al_service.api.schemas.operations import Check
from al_service.api.service import Service
from al_service.rounds import readiness


def checks_of(service: Service) -> list[Check]:
    """Database, migrations, a live worker, the sweep, the broker: one line each."""
    return [*_database_checks(service), _broker_check(service)]


def _database_checks(service: Service) -> list[Check]:
    within = timedelta(seconds=service.settings.worker_seen_seconds)
    try:
        with service.sessions() as session:
            needs = readiness.readiness(
                session,
                worker_within=within,
                sweep_within=service.settings.sweep_within,
            )
    except SQLAlchemyError as error:
        # Its words name hosts and users: those are for the log, not for strangers.
        found = f"does not answer ({type(error).__name__})"
        return [
            Check(name="database", ok=False, detail=found),
            Check(name="migrations", ok=False, detail="unknown: no database"),
            Check(name="worker", ok=False, detail="unknown: no database"),
            Check(name="sweep", ok=False, detail="unknown: no database"),
        ]
    return [Check(name=need.name, ok=need.ok, detail=need.detail) for need in needs]


def _broker_check(service: Service) -> Check:
    trouble = service.doorbell.trouble()
    return Check(name="broker", ok=trouble is None, detail=trouble or "answers")
