"""Bad label files are refused with the reason and the place, and nothing is stored."""

import re
from collections.abc import Iterator

import pytest

from al_service.errors import ALServiceError
from al_service.survey.sdss10k import read_sdss10k
from al_service.survey.splits import split_of
from tests.cli.bad_labels import CASES, BadLabels, Galaxies
from tests.cli.commands import Commands
from tests.conftest import PostgresForTests
from tests.folders import new_folder

KINDS = 40
"""So many kinds of bad label files at least have an answer of their own."""


@pytest.fixture(scope="module")
def al(postgres: PostgresForTests) -> Iterator[Commands]:
    """One campaign for all cases: each has to leave it without a label."""
    postgres.copy("bad_labels")
    with pytest.MonkeyPatch.context() as environment, new_folder() as home:
        environment.setenv("AL_DATABASE_URL", postgres.url_of("bad_labels"))
        environment.setenv("COLUMNS", "200")
        al = Commands(home)
        targets = "z,sfr_avg,sfr_p16,sfr_p84"
        al.json(
            "campaign", "create", "night", "--pool", "sdss10k", "--targets", targets
        )
        yield al
    postgres.drop("bad_labels")


@pytest.fixture(scope="module")
def sky() -> Galaxies:
    columns, _ = read_sdss10k()
    rows = zip(columns.object_ids.tolist(), columns.group_ids.tolist(), strict=True)
    sides: dict[str, list[str]] = {"pool": [], "evaluation": []}
    for name, group in rows:
        sides[split_of(0, group)].append(name)
    return Galaxies(sides["pool"][:5], sides["evaluation"][0])


def test_there_are_many_kinds_of_bad_labels() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= KINDS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_labels_are_refused_and_nothing_is_stored(
    al: Commands, sky: Galaxies, case: BadLabels
) -> None:
    with new_folder() as folder:
        further = case.write(folder / "labels", sky) or []
        done = al.run("label", "import", "night", folder / "labels", *further)

    assert done.exit_code == 1
    assert isinstance(done.exception, ALServiceError), done.exception
    message = str(done.exception)
    assert re.search(case.message, message, flags=re.DOTALL), message
    assert al.json("campaign", "status", "night")["counts"]["labels"] == 0
