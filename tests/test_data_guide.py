"""Every example of the data guide is executed, in order, in one home."""

import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from al_service.fetch.sample import COLUMNS
from al_service.survey.catalogs.column_map import KEYS, read_declaration, resolve
from al_service.survey.label_files.file_label import LabelFormat
from al_service.survey.magnitudes import FluxUnit
from db.session import create_database_engine
from db.tables import SkyObject
from db.vocabulary import Split
from tests.cli.commands import Commands
from tests.conftest import PostgresForTests
from tests.real_spectra import DATA, needs_real_spectra
from tests.survey.catalogs.tables import N, galaxies, write_csv, write_skyserver

GUIDE = (Path(__file__).parent.parent / "docs" / "data.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(\w+)\n(.*?)```", flags=re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(GUIDE) if kind == language]


@pytest.fixture
def al(
    postgres: PostgresForTests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Commands]:
    """A home, in a folder that has every file of the examples."""
    postgres.copy("guide")
    monkeypatch.setenv("AL_DATABASE_URL", postgres.url_of("guide"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    yield Commands(tmp_path / "home")
    postgres.drop("guide")


@pytest.fixture
def engine(postgres: PostgresForTests, al: Commands) -> Iterator[Engine]:
    del al
    engine = create_database_engine(postgres.url_of("guide"), pool_size=1)
    yield engine
    engine.dispose()


def write_examples(folder: Path) -> None:
    """The files that the examples name."""
    write_csv(galaxies(), folder / "catalog.csv")
    own = Table({"name": [f"galaxy {k}" for k in range(N)]})
    own["ra"], own["dec"] = np.linspace(1, 99, N), np.linspace(-9, 9, N)
    own["flux"], own["error"] = np.full((N, 5), 50.0), np.full((N, 5), 1.0)
    own["zspec"] = np.linspace(0.01, 0.3, N)
    own.write(folder / "own.fits")
    (folder / "own.toml").write_text(blocks("toml")[0])
    sky = galaxies()
    sky["plate"], sky["mjd"], sky["fiberID"] = 1, 50000, np.arange(N)
    sky["plate"][0], sky["mjd"][0], sky["fiberID"][0] = 266, 51630, 168
    write_skyserver(sky, folder / "skyserver.csv")
    shutil.copytree(DATA / "spectra", folder / "spectra")
    shutil.copy(DATA / "real_stamps_ugriz_64.npz", folder / "stamps.npz")
    spec = galaxies()["ra", "dec", "z", "zErr"]
    spec["specobjid"] = [str(1024 * (k + 1)) for k in range(N)]
    spec["zwarning"] = 0
    write_csv(spec, folder / "specobj.csv")


def write_labels(folder: Path, session: Session) -> None:
    """A label of the first object that may be labeled."""
    first = session.scalars(
        select(SkyObject.object_id)
        .where(SkyObject.split == Split.POOL)
        .order_by(SkyObject.id)
    ).first()
    (folder / "labels.csv").write_text(f"object_id,z\n{first},0.1\n")


@needs_real_spectra
def test_every_command_of_the_guide_runs(
    al: Commands, engine: Engine, tmp_path: Path
) -> None:
    write_examples(tmp_path)
    done = 0
    for line in "".join(blocks("sh")).splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        assert words[0] == "al"
        if "labels.csv" in words:
            with Session(engine) as session:
                write_labels(tmp_path, session)
        if "specobj.csv" in words:  # one more object than labels.csv has told of
            words += ["--labeler", "survey"]
        result = al.run(*words[1:])
        assert result.exit_code == 0, (line, result.output, result.exception)
        done += 1
    assert done >= 10
    pools = {one["name"]: one for one in al.json("pool", "list")["items"]}
    assert pools["sky"]["n_objects"] == N
    assert pools["own"]["manifest_digest"] != pools["sky"]["manifest_digest"]
    assert pools["own2"]["known_targets"] == ["z"]
    # One spectrum is of a row of the catalog, the 33 others are objects of their own.
    assert pools["mgs"]["n_objects"] == N + 33
    assert pools["spectra"]["n_objects"] == 34
    assert pools["stamps"]["modalities"] == ["image"]
    labels = al.json("campaign", "status", "first")["counts"]["labels"]
    assert labels > N / 2, "positions have found their objects"


def test_every_program_of_the_guide_runs(capsys: pytest.CaptureFixture[str]) -> None:
    programs = blocks("python")
    assert programs
    for program in programs:
        exec(compile(program, "docs/data.md", "exec"), {})  # noqa: S102 -- our own page
    assert "nanomaggies" in capsys.readouterr().out
    assert sys.exc_info() == (None, None, None)


def test_the_columns_of_the_query_are_understood_as_they_come() -> None:
    (query,) = blocks("sql")
    selected = query.partition("SELECT")[2].partition("INTO")[0]
    names = [part.split()[-1].rpartition(".")[2] for part in selected.split(",")]
    found = resolve({}, names)
    assert found.single["object_id"] == "objid"
    assert len(found.targets) == 7
    assert {"zwarning", "reliable"} <= set(found.single)
    assert {"model", "model_err", "petro", "petro_err", "extinction"} == set(
        found.bands
    )


def test_a_fetched_catalog_is_understood_as_it_comes() -> None:
    found = resolve({}, COLUMNS)
    assert found.single["object_id"] == "bestObjID"
    assert (found.unit, found.bands["model_ivar"][1]) == (
        FluxUnit.NANOMAGGIES,
        "modelFluxIvar_g",
    )
    assert set(found.bands) >= {"model", "petro", "petro_ivar", "extinction"}
    assert len(found.targets) == 7


def test_every_key_and_every_format_is_documented() -> None:
    table = GUIDE.partition("## Columns")[2].partition("## A sample")[0]
    for key in KEYS:
        if not key.endswith("_err") or key in ("model_err", "petro_err"):
            assert f"`{key}`" in table, key
    for kind in LabelFormat:
        assert f"| `{kind}` |" in GUIDE


def test_the_declaration_of_the_guide_is_one(tmp_path: Path) -> None:
    (content,) = blocks("toml")
    (tmp_path / "own.toml").write_text(content)
    assert read_declaration(str(tmp_path / "own.toml")) == tomllib.loads(content)
