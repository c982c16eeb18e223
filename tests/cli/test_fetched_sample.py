"""A fetched sample becomes a pool, a campaign, a batch: the commands of the page."""

import bz2
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.session import create_database_engine
from db.tables import Pool, SkyObject
from tests.cli.commands import Commands
from tests.conftest import PostgresForTests
from tests.fetch.archives import Archives
from tests.fetch.stock import stock
from tests.real_spectra import DATA, needs_real_spectra
from tests.survey.images.stamps import write_field

PAGE = (Path(__file__).parents[2] / "docs" / "fetching.md").read_text(encoding="utf-8")


def with_frames_of_the_sky(archives: Archives) -> None:
    """Put frames that lie around the galaxies where the archive has its small ones."""
    for row in archives.galaxies:
        key = f"{int(row['run']):06d}-{row['camcol']}-{int(row['field']):04d}"
        with TemporaryDirectory() as name:
            write_field(Path(name), ra=float(row["ra"]), dec=float(row["dec"]))
            for path in Path(name).iterdir():
                band = path.name.split("-")[1]
                (place,) = (p for p in archives.files if f"frame-{band}-{key}" in p)
                archives.files[place] = bz2.compress(path.read_bytes(), 1)


@pytest.fixture
def archives() -> Iterator[Archives]:
    spectra = sorted((DATA / "spectra").glob("spec-0266-*.fits"))[:4]
    with Archives() as archives:
        stock(archives, spectra)
        with_frames_of_the_sky(archives)
        yield archives


@pytest.fixture
def al(
    postgres: PostgresForTests,
    archives: Archives,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Commands]:
    postgres.copy("fetched")
    monkeypatch.setenv("AL_DATABASE_URL", postgres.url_of("fetched"))
    monkeypatch.setenv("AL_SKYSERVER_URL", archives.url)
    monkeypatch.setenv("AL_ARCHIVE_URL", archives.archive_url)
    monkeypatch.chdir(tmp_path)
    yield Commands(tmp_path / "home")
    postgres.drop("fetched")


@needs_real_spectra
def test_the_commands_of_the_page_lead_from_a_plan_to_a_batch(
    postgres: PostgresForTests, al: Commands
) -> None:
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL)
    lines = [shlex.split(line)[1:] for line in block.splitlines()]
    assert [" ".join(words[:2]) for words in lines] == [
        "pool import",
        "campaign create",
        "batch next",
    ]
    plan = al.run("fetch", "sample", "--dry-run", "--rate", "50")
    assert "4 galaxies: 4 spectra and 20 frames" in plan.stderr
    assert al.run("fetch", "sample", "--rate", "50").exit_code == 0

    imported = al.json(*lines[0])
    al.json(*lines[1])
    batch = al.json(*lines[2])

    assert imported["objects"] == imported["known_labels"] == 4
    assert (imported["spectra_matched"], imported["images_matched"]) == (4, 4)
    engine: Engine = create_database_engine(postgres.url_of("fetched"), pool_size=1)
    with Session(engine) as session:
        objects = session.scalars(
            select(SkyObject).join(Pool).where(Pool.name == "fetched")
        ).all()
    assert len(objects) == 4
    engine.dispose()
    for one in objects:
        assert one.has_photometry
        assert one.has_image
        assert one.has_spectrum
    asked = {item["object_id"] for item in batch["items"]}
    assert asked
    assert asked <= {one.object_id for one in objects}
