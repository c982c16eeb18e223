"""Catalogs, spectra and images become one pool."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from astropy.io import fits
from astropy.table import Table

from al_service.errors import BadRows
from al_service.survey.catalogs.column_map import read_declaration
from al_service.survey.importing.assembly import assemble_pool
from al_service.survey.importing.rejected import RejectedRows
from al_service.survey.importing.request import ImportCounts, ImportRequest, MatchBy
from al_service.survey.pool_arrays import PoolArrays
from tests.real_spectra import DATA, needs_real_spectra
from tests.survey.catalogs.tables import N, galaxies, write_csv, write_parquet
from tests.survey.images.stamps import stamps, write_field

QUASAR = ("1325-52762-0133", "7338-56660-0733", "7338-57050-0737")
"""Three epochs of one quasar."""

needs_real_stamps = pytest.mark.skipif(
    not (DATA / "real_stamps_ugriz_64.npz").is_file(),
    reason=f"no real stamps in {DATA}: set AL_TEST_DATA",
)


def assemble(
    folder: Path, request: ImportRequest, *, skip_bad: bool = False
) -> tuple[PoolArrays, ImportCounts]:
    folder.mkdir(parents=True)
    with RejectedRows(folder.parent / f"{folder.name}.rejected.csv") as rejected:
        digest, counts = assemble_pool(
            request,
            folder,
            rejected=rejected,
            skip_bad=skip_bad,
            progress=lambda *_: None,
        )
    return PoolArrays.open(folder, digest=digest, verify=True), counts


def catalog(folder: Path) -> Path:
    write_csv(galaxies(), folder / "catalog.csv")
    return folder / "catalog.csv"


def test_the_same_files_give_the_same_digest(tmp_path: Path) -> None:
    request = ImportRequest(catalog(tmp_path))
    first, counts = assemble(tmp_path / "a", request)
    second, _ = assemble(tmp_path / "b", request)
    assert (first.path / "manifest.json").read_bytes() == (
        second.path / "manifest.json"
    ).read_bytes()
    assert (counts.objects, counts.galaxies, counts.known_labels) == (N, N, N)
    assert first.modalities == ("photometry",)
    assert not list(first.path.glob(".*"))


@needs_real_spectra
def test_all_shared_spectra_are_read_and_one_quasar_is_one_galaxy(
    tmp_path: Path,
) -> None:
    request = ImportRequest(spectra=DATA / "spectra", pipeline_z=True)
    pool, counts = assemble(tmp_path / "pool", request)
    assert (counts.objects, counts.galaxies, counts.repeated) == (34, 32, 2)
    group = {str(pool.group_ids[list(pool.object_ids).index(n)]) for n in QUASAR}
    assert group == {QUASAR[0]}
    inputs = pool.inputs(slice(None))
    assert inputs.spectrum is not None
    assert inputs.spectrum.shape == (34, 2, 4620)
    assert (inputs.spectrum[:, 1] >= 0).all()
    assert set(inputs.patterns) == {4}
    assert pool.targets == ("z",)
    # Four of the 34 have a warning that forbids their redshift.
    assert np.isfinite(pool.known_values).sum() == 30


@needs_real_spectra
@pytest.mark.parametrize("match", [MatchBy.POSITION, MatchBy.ID])
def test_spectra_find_the_rows_of_a_catalog(tmp_path: Path, match: MatchBy) -> None:
    """The best of three spectra stays with the row, the others join its galaxy."""
    with fits.open(DATA / "spectra" / f"spec-{QUASAR[1]}.fits") as hdus:
        ra, dec = float(hdus[0].header["PLUG_RA"]), float(hdus[0].header["PLUG_DEC"])
    table = galaxies(3)
    table["ra"][1], table["dec"][1] = ra + 0.3 / 3600, dec
    table["plate"], table["mjd"], table["fiberid"] = 1, 1, 1
    table["plate"][1], table["mjd"][1], table["fiberid"][1] = 7338, 57050, 737
    write_csv(table, tmp_path / "catalog.csv")
    for name in QUASAR:
        shutil.copy(DATA / "spectra" / f"spec-{name}.fits", tmp_path)

    declared = "object_id=objid,spectrum_id={plate}-{mjd}-{fiberid}"
    request = ImportRequest(
        tmp_path / "catalog.csv",
        read_declaration(declared),
        spectra=tmp_path,
        match=match,
    )
    pool, counts = assemble(tmp_path / "pool", request)

    # By position all three lie on the row; by name only the one that it names.
    matched = 3 if match is MatchBy.POSITION else 1
    assert (counts.spectra, counts.spectra_matched) == (3, matched)
    assert pool.object_ids.tolist() == [*table["objid"], *QUASAR[:2]]
    assert len(set(pool.group_ids[[1, 3, 4]])) == 1
    has = pool.inputs(slice(None)).patterns.tolist()
    assert has == [1, 5, 1, *([5, 5] if match is MatchBy.POSITION else [4, 4])]


@needs_real_stamps
def test_real_stamps_are_images_of_their_own(tmp_path: Path) -> None:
    path = DATA / "real_stamps_ugriz_64.npz"
    pool, counts = assemble(tmp_path / "pool", ImportRequest(images=path))
    with np.load(path) as stored:
        read = pool.inputs(np.array([5, 3]))
        assert read.image is not None
        np.testing.assert_array_equal(read.image, stored["stamps"][[5, 3]])
    assert counts.objects == 107
    assert set(pool.inputs(slice(None)).patterns) == {2}
    assert pool.object_ids[0].startswith("SDSS J")


@pytest.mark.parametrize("kind", ["npy", "npz", "zarr", "fits"])
def test_cutouts_of_every_kind_are_matched_to_the_catalog(
    tmp_path: Path, kind: str
) -> None:
    table, pixels = galaxies(), stamps(N)
    names = np.array(table["objid"])
    path = tmp_path / f"images.{kind}"
    match = MatchBy.ROW if kind == "npy" else MatchBy.ID
    order = np.arange(N) if kind == "npy" else np.arange(N)[::-1]
    if kind == "npy":
        np.save(path, pixels)
    elif kind == "npz":
        np.savez(path, images=pixels[order], object_id=names[order])
    elif kind == "zarr":
        group = zarr.open_group(path, mode="w")
        group.create_array("images", data=pixels[order])
        group.create_array("object_id", data=names[order].astype(np.int64))
    else:
        hdus = [fits.PrimaryHDU(), fits.ImageHDU(pixels[order])]
        hdus.append(fits.table_to_hdu(Table({"object_id": names[order]})))
        fits.HDUList(hdus).writeto(path)

    request = ImportRequest(catalog(tmp_path), images=path, match=match)
    pool, counts = assemble(tmp_path / "pool", request)

    image = pool.inputs(slice(None)).image
    assert image is not None
    np.testing.assert_array_equal(image, pixels)
    assert (counts.images_matched, counts.objects) == (N, N)


def test_single_cutouts_name_their_galaxies(tmp_path: Path) -> None:
    (tmp_path / "cutouts").mkdir()
    for row in range(3):
        hdu = fits.PrimaryHDU(stamps(3)[row])
        hdu.header["OBJID"], hdu.header["RA"], hdu.header["DEC"] = f"g{row}", row, 1.0
        hdu.writeto(tmp_path / "cutouts" / f"{row}.fits")
    request = ImportRequest(images=tmp_path / "cutouts")
    pool, _ = assemble(tmp_path / "pool", request)
    assert pool.object_ids.tolist() == ["g0", "g1", "g2"]


def test_stamps_are_cut_at_the_positions_of_a_catalog(tmp_path: Path) -> None:
    table = galaxies(3)
    table["ra"], table["dec"] = [10.0, 10.01, 200.0], [5.0, 5.0, 0.0]
    write_csv(table, tmp_path / "catalog.csv")
    (tmp_path / "frames").mkdir()
    write_field(tmp_path / "frames", ra=10.0, dec=5.0, stars=[(10.0, 5.0, 9.0)])
    request = ImportRequest(tmp_path / "catalog.csv", images=tmp_path / "frames")
    pool, counts = assemble(tmp_path / "pool", request)
    assert pool.flags["image"].tolist() == [True, True, False]
    assert counts.without_image == 1
    image = pool.inputs(slice(0, 1)).image
    assert image is not None
    assert image[0, 2].sum() == pytest.approx(27.0, rel=1e-2)


def test_bad_rows_forbid_the_import_or_are_left_out_and_listed(
    tmp_path: Path,
) -> None:
    table = galaxies()
    table["ra"][3], table["z"][7] = -1, 99.0
    write_csv(table, tmp_path / "catalog.csv")
    request = ImportRequest(tmp_path / "catalog.csv")
    with pytest.raises(BadRows, match="2 problem"):
        assemble(tmp_path / "a", request)
    _, counts = assemble(tmp_path / "b", request, skip_bad=True)
    assert (counts.objects, counts.problems) == (N - 2, 2)
    listed = (tmp_path / "b.rejected.csv").read_text().splitlines()
    assert listed[0] == "where,problem"
    assert "line 5" in listed[1]
    assert "line 9" in listed[2]


def test_images_by_row_pass_over_rejected_rows(tmp_path: Path) -> None:
    table = galaxies()
    table["ra"][3] = -1
    write_parquet(table, tmp_path / "catalog")
    pixels = stamps(N)
    np.save(tmp_path / "images.npy", pixels)
    request = ImportRequest(
        tmp_path / "catalog", images=tmp_path / "images.npy", match=MatchBy.ROW
    )
    folder = tmp_path / "pool"
    pool, counts = assemble(folder, request, skip_bad=True)
    # The image of the rejected row has no object and no position: it is left out too.
    assert (counts.objects, counts.problems) == (N - 1, 2)
    image = pool.inputs(slice(None)).image
    assert image is not None
    np.testing.assert_array_equal(image, np.delete(pixels, 3, axis=0))
