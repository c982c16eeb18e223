"""Which database this is, whatever address it is reached at."""

from sqlalchemy import text
from sqlalchemy.orm import Session

# A cluster has its number from `initdb` on, and a database its own within the cluster.
_IDENTITY = text(
    """
    SELECT system_identifier || '-' || pg_database.oid
    FROM pg_control_system(), pg_database
    WHERE datname = current_database()
    """
)


def database_identity(session: Session) -> str:
    """The same for one database for ever; another one for a restored copy.

    `pg_upgrade` fills a new cluster, whose number is new. A copy of the whole cluster's
    files (a disk's snapshot, a standby) keeps it: original and copy look alike here,
    and must not share a folder of artifacts.
    """
    return str(session.execute(_IDENTITY).scalar_one())
