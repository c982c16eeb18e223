"""An imported pool is published at once, once, and campaigns can use it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from sqlalchemy import select

from al_service.errors import Conflict, InvalidInput
from al_service.rounds.importing import ImportResult, import_files
from al_service.rounds.pools import find_pool, list_pools
from al_service.settings import Settings
from al_service.survey.catalogs.column_map import read_declaration
from al_service.survey.importing.request import ImportRequest
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.sdss10k import read_sdss10k
from al_service.survey.splits import split_of
from al_service.survey.unfinished import held
from db.tables import Pool, SkyObject
from db.vocabulary import PoolState, RunKind, RunState, Split
from tests.conftest import Database
from tests.rounds.observatory import SMALL_MODEL, Observatory
from tests.survey.catalogs.tables import N, galaxies, write_csv
from tests.survey.images.stamps import stamps

WITH_IMAGES_ONLY = 20


class Interrupted(BaseException):
    """As a signal does: no error of ours, and no `except Exception` sees it."""


def run(
    database: Database,
    folder: Path,
    request: ImportRequest,
    *,
    name: str = "sky",
    seed: int = 0,
    stop_at: str | None = None,
) -> ImportResult:
    """Import; `stop_at` interrupts when a stage begins."""

    def progress(stage: str, done: int, total: int | None) -> None:
        del done, total
        if stage == stop_at:
            raise Interrupted

    return import_files(
        database.sessions,
        name,
        request,
        artifacts=folder / "artifacts",
        seed=seed,
        rejected=folder / "rejected.csv",
        skip_bad=False,
        progress=progress,
    )


def request_in(folder: Path) -> ImportRequest:
    write_csv(galaxies(), folder / "catalog.csv")
    return ImportRequest(folder / "catalog.csv")


def test_a_catalog_becomes_a_pool_and_a_repeated_import_changes_nothing(
    database: Database, tmp_path: Path
) -> None:
    request = request_in(tmp_path)
    first = run(database, tmp_path, request)
    with database.sessions() as session:
        pool = find_pool(session, "sky")
        objects = session.scalars(select(SkyObject).order_by(SkyObject.row)).all()
    assert (pool.n_objects, pool.known_targets, pool.manifest_digest) == (
        N,
        ["z"],
        first.digest,
    )
    assert [one.object_id for one in objects] == galaxies()["objid"].tolist()
    assert {one.has_photometry for one in objects} == {True}
    assert {one.has_image for one in objects} == {False}
    for one in objects:
        assert one.split.value == split_of(0, one.group_id)

    again = run(database, tmp_path, request)

    assert (again.digest, again.unchanged) == (first.digest, True)
    with database.sessions() as session:
        assert [one.id for one in list_pools(session)] == [pool.id]
    folders = [one.name for one in (tmp_path / "artifacts" / "pools").iterdir()]
    assert sorted(folders) == [".sky.lock", f"sky-{first.digest[:12]}"]


@pytest.mark.parametrize(
    "stage", ["reading the catalog", "computing digests", "filling the database"]
)
def test_an_import_that_was_interrupted_is_repeated_without_harm(
    database: Database, tmp_path: Path, stage: str
) -> None:
    request = request_in(tmp_path)
    with pytest.raises(Interrupted):
        run(database, tmp_path, request, stop_at=stage)
    with database.sessions() as session:
        assert session.scalars(select(Pool)).all() == []
    left = [one.name for one in (tmp_path / "artifacts" / "pools").iterdir()]
    assert left == [".sky.lock"], "no gigabytes that nobody knows of"

    result = run(database, tmp_path, request)

    assert not result.unchanged
    with database.sessions() as session:
        pool = find_pool(session, "sky")
    assert pool.state is PoolState.READY
    PoolArrays.open(
        tmp_path / "artifacts" / pool.arrays, digest=result.digest, verify=True
    )


def test_what_a_killed_import_left_is_cleared_away(
    database: Database, tmp_path: Path
) -> None:
    pools = tmp_path / "artifacts" / "pools"
    own, foreign, living = (
        pools / f".{name}.partial-0123" for name in ("sky", "sky2", "sky3")
    )
    for folder in (own, foreign, living):
        folder.mkdir(parents=True)
        (folder / "photometry").touch()
    with held(living) as is_there:
        assert is_there
        run(database, tmp_path, request_in(tmp_path))
    assert not own.exists()
    assert not foreign.exists(), "whatever it would have become"
    assert living.exists()


def test_the_name_of_the_pool_that_comes_with_the_service_is_taken(
    database: Database, tmp_path: Path
) -> None:
    """A pool of this name, imported first, made every other command fail."""
    with pytest.raises(Conflict, match="'sdss10k' comes with the service"):
        run(database, tmp_path, request_in(tmp_path), name="sdss10k")


def test_a_name_stands_for_one_content_and_one_split(
    database: Database, tmp_path: Path
) -> None:
    request = request_in(tmp_path)
    run(database, tmp_path, request)
    with pytest.raises(Conflict, match="with seed 0, found 5"):
        run(database, tmp_path, request, seed=5)
    write_csv(galaxies(N - 1), tmp_path / "catalog.csv")
    with pytest.raises(Conflict, match=r"other content .* under another name with"):
        run(database, tmp_path, request)
    with pytest.raises(InvalidInput, match="pool name"):
        run(database, tmp_path, request, name="a/b")


def test_a_larger_pool_under_another_name_leaves_old_objects_on_their_sides(
    database: Database, tmp_path: Path
) -> None:
    write_csv(galaxies(N - 10), tmp_path / "catalog.csv")
    run(database, tmp_path, ImportRequest(tmp_path / "catalog.csv"))
    write_csv(galaxies(N), tmp_path / "more.csv")
    run(database, tmp_path, ImportRequest(tmp_path / "more.csv"), name="sky-2")
    with database.sessions() as session:
        sides = {
            name: {
                one.object_id: one.split
                for one in session.scalars(
                    select(SkyObject).join(Pool).where(Pool.name == name)
                )
            }
            for name in ("sky", "sky-2")
        }
    shared = sides["sky"].keys() & sides["sky-2"].keys()
    # galaxies(n) spreads n objects over the sky: the same names at other places.
    assert len(shared) == N - 10
    assert {name: sides["sky"][name] for name in shared} == {
        name: sides["sky-2"][name] for name in shared
    }


def test_joined_galaxies_of_different_splits_are_excluded(
    database: Database, tmp_path: Path
) -> None:
    sides: dict[str, list[str]] = {"pool": [], "evaluation": []}
    for k in range(100):
        sides[split_of(0, f"galaxy {k}")].append(f"galaxy {k}")
    table = Table({"object_id": [*"abcdef"]})
    # a and b are found at one place and stand on different sides; c and d on one
    # side; e and f were declared one galaxy and are found apart.
    table["ra"], table["dec"] = [10.0, 10.0, 50.0, 50.0, 90.0, 95.0], 0.0
    table["group_id"] = [
        sides["pool"][0],
        sides["evaluation"][0],
        *sides["pool"][1:3],
        *[sides["evaluation"][1]] * 2,
    ]
    write_csv(table, tmp_path / "catalog.csv")
    result = run(database, tmp_path, ImportRequest(tmp_path / "catalog.csv"))
    with database.sessions() as session:
        objects = session.scalars(select(SkyObject).order_by(SkyObject.row)).all()
    assert [one.split for one in objects] == [
        Split.EXCLUDED,
        Split.EXCLUDED,
        Split.POOL,
        Split.POOL,
        Split.EVALUATION,
        Split.EVALUATION,
    ]
    groups = [one.group_id for one in objects]
    assert [groups[0] == groups[1], groups[2] == groups[3], groups[4] == groups[5]] == [
        True
    ] * 3
    assert result.counts.galaxies == 3


def test_a_campaign_runs_on_an_imported_pool_objects_with_images_only_included(
    database: Database, tmp_path: Path
) -> None:
    """What no encoder reads yet gets its prediction from the token of absence."""
    columns, photometry = read_sdss10k()
    n = 400
    table = Table({"object_id": columns.object_ids[:n]})
    table["ra"], table["dec"] = columns.ra[:n], columns.dec[:n]
    table["z"] = columns.known_values[:n, 0]
    table["flux"], table["error"] = photometry[:n, :5], photometry[:n, 5:10]
    table["EXTINCTION"] = photometry[:n, 20:25]
    table.write(tmp_path / "catalog.fits")
    rows = WITH_IMAGES_ONLY
    np.savez(
        tmp_path / "images.npz",
        images=stamps(rows + 5),
        object_id=np.array([f"new{k}" for k in range(rows + 5)]),
        ra=np.concatenate([np.linspace(1, 9, rows), columns.ra[:5]]),
        dec=np.concatenate([np.full(rows, -89.0), columns.dec[:5]]),
    )
    declared = read_declaration("model=flux,model_err=error,unit=nanomaggies")
    request = ImportRequest(
        tmp_path / "catalog.fits", declared, images=tmp_path / "images.npz"
    )
    counts = run(database, tmp_path, request).counts
    assert (counts.objects, counts.images_matched) == (n + rows, 5)

    settings = Settings(artifacts=tmp_path / "artifacts")
    sky = Observatory(database.sessions, settings)
    campaign_id = sky.open_campaign("survey", model=SMALL_MODEL, random_share=0.0)
    with database.sessions() as session:
        known = session.scalars(
            select(SkyObject.object_id)
            .where(SkyObject.has_photometry, SkyObject.split == Split.POOL)
            .limit(60)
        ).all()
    sky.tell_objects(campaign_id, known)
    finished = sky.carry_out(sky.plan(campaign_id, RunKind.FULL))

    assert finished.state is RunState.PUBLISHED, finished.message
    ranked = {name for name, _, _ in sky.ranking(campaign_id)}
    blind = {name for name in ranked if name.startswith("new")}
    assert len(blind) > WITH_IMAGES_ONLY / 2
    predictions = sky.predictions(campaign_id)
    assert all(name in predictions for name in blind)


def test_a_pool_of_images_alone_can_be_asked_and_trained_on(
    database: Database, tmp_path: Path
) -> None:
    n = 120
    columns, _ = read_sdss10k()
    np.savez(
        tmp_path / "images.npz",
        images=stamps(n),
        object_id=columns.object_ids[:n],
        ra=columns.ra[:n],
        dec=columns.dec[:n],
    )
    run(database, tmp_path, ImportRequest(images=tmp_path / "images.npz"))
    settings = Settings(artifacts=tmp_path / "artifacts")
    sky = Observatory(database.sessions, settings)
    campaign_id = sky.open_campaign("survey", model=SMALL_MODEL, evaluation_size=0)
    sky.observe(campaign_id, 30)
    finished = sky.carry_out(sky.plan(campaign_id, RunKind.FULL))
    assert finished.state is RunState.PUBLISHED, finished.message
    shutil.rmtree(tmp_path / "artifacts")
