"""Bad input is refused with the reason and the place, and leaves nothing visible."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from al_service.errors import ALServiceError
from al_service.rounds.importing import import_files
from db.session import create_database_engine, create_sessions
from db.tables import Pool, SkyObject
from tests.conftest import PostgresForTests
from tests.rounds.bad_inputs import CASES, BadInput

KINDS = 80
"""So many kinds of bad input at least have an answer of their own."""


@pytest.fixture(scope="module")
def engine(postgres: PostgresForTests) -> Iterator[Engine]:
    """One database for all cases: each has to leave it empty."""
    postgres.copy("bad_imports")
    engine = create_database_engine(postgres.url_of("bad_imports"), pool_size=2)
    yield engine
    engine.dispose()
    postgres.drop("bad_imports")


@pytest.fixture(scope="module")
def sessions(engine: Engine) -> sessionmaker[Session]:
    return create_sessions(engine)


def test_there_are_many_kinds_of_bad_input() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= KINDS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_refused_and_leaves_nothing(
    sessions: sessionmaker[Session], tmp_path: Path, case: BadInput
) -> None:
    (tmp_path / "input").mkdir()
    request = case.build(tmp_path / "input")

    with pytest.raises(ALServiceError) as refused:
        import_files(
            sessions,
            "sky",
            request,
            artifacts=tmp_path / "artifacts",
            seed=0,
            rejected=tmp_path / "rejected.csv",
            skip_bad=False,
            progress=lambda *_: None,
        )

    message = str(refused.value)
    assert re.search(case.message, message, flags=re.DOTALL), message
    left = sorted(one.name for one in (tmp_path / "artifacts" / "pools").iterdir())
    assert left == [".sky.lock"]
    with sessions() as session:
        assert session.scalar(select(func.count(Pool.id))) == 0
        assert session.scalar(select(func.count(SkyObject.id))) == 0
