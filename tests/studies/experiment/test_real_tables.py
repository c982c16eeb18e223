"""Published tables become pools; the tests make small ones of the same form."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from al_service.errors import InvalidInput
from al_service.studies.experiment.real_tables import (
    ECO_RESOLVE,
    MGS,
    open_table,
)
from al_service.survey.photometry_columns import MODEL_FLUX, MODEL_FLUX_ERROR


def test_the_published_halves_of_the_main_sample_stay_halves(tmp_path: Path) -> None:
    (tmp_path / "mgs").mkdir()
    row = [0.1, 20.0, 18.5, 17.5, 17.0, 16.5, 1.5, 1.0, 0.5, 0.5, *[0.1] * 9]
    for half, n in (("train", 3), ("test", 2)):
        np.savetxt(tmp_path / "mgs" / f"SDSS_MGS.{half}", [row] * n)

    sky = open_table(MGS, tmp_path, tmp_path / "pools")

    assert sky.examines is not None
    assert sky.examines.tolist() == [False] * 3 + [True] * 2
    assert sky.arrays.targets == ("z",)
    assert sky.arrays.known_values[:, 0].tolist() == [0.1] * 5
    photometry = sky.arrays.inputs(slice(0, 1)).photometry[0]
    assert photometry[MODEL_FLUX] == pytest.approx([10, 39.81, 100, 158.5, 251.2], 1e-3)
    # A tenth of a magnitude is nine per cent.
    relative = photometry[MODEL_FLUX_ERROR] / photometry[MODEL_FLUX]
    assert relative == pytest.approx(0.0921, rel=1e-3)


def test_nearby_galaxies_are_moved_to_one_distance(tmp_path: Path) -> None:
    columns = {f"{band}mag": [17.0, 19.0] for band in "ugriz"}
    columns |= {"absrmag": [-18.0, -18.0], "log_sfr": [-0.5, 0.2]}
    pq.write_table(pa.table(columns), tmp_path / "eco_resolve_ugriz_z_sfr.parquet")

    sky = open_table(ECO_RESOLVE, tmp_path, tmp_path / "pools")

    flux = sky.arrays.inputs(slice(None)).photometry[:, MODEL_FLUX]
    assert flux == pytest.approx(np.full((2, 5), 10 ** (0.4 * (22.5 - 17.0))), rel=1e-5)
    assert sky.arrays.targets == ("sfr_median",)
    assert sky.examines is None


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"SDSS_MGS\.train.*no such file"):
        open_table(MGS, tmp_path, tmp_path / "pools")


def test_damaged_tables_are_named(tmp_path: Path) -> None:
    (tmp_path / "mgs").mkdir()
    (tmp_path / "mgs" / "SDSS_MGS.train").write_text("0.1 20.0 18.5\n0.1 20.0\n")
    (tmp_path / "eco_resolve_ugriz_z_sfr.parquet").write_bytes(b"garbage")

    with pytest.raises(InvalidInput, match=r"SDSS_MGS\.train: expected rows of numb"):
        open_table(MGS, tmp_path, tmp_path / "pools")
    with pytest.raises(InvalidInput, match=r"sfr\.parquet: expected a Parquet table"):
        open_table(ECO_RESOLVE, tmp_path, tmp_path / "pools")


def test_a_table_without_a_column_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "mgs").mkdir()
    np.savetxt(tmp_path / "mgs" / "SDSS_MGS.train", [[0.1, 20.0]] * 3)
    columns = {f"{band}mag": [17.0, 19.0] for band in "ugriz"}
    path = tmp_path / "eco_resolve_ugriz_z_sfr.parquet"
    pq.write_table(pa.table(columns | {"log_sfr": [0.1, 0.2]}), path)

    with pytest.raises(InvalidInput, match="expected 15 columns, found 2"):
        open_table(MGS, tmp_path, tmp_path / "pools")
    with pytest.raises(InvalidInput, match=r"none of \['absrmag'\]"):
        open_table(ECO_RESOLVE, tmp_path, tmp_path / "pools")
