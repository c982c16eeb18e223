"""Images that are none, or that belong to nobody."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from al_service.survey.importing.request import ImportRequest, MatchBy
from tests.rounds.bad_inputs.cases import bad
from tests.survey.catalogs.tables import galaxies, write_csv
from tests.survey.images.stamps import stamps, write_field

SKY: Final = {"ra": np.linspace(1, 9, 3), "dec": np.zeros(3)}


def images(folder: Path, **columns: Any) -> ImportRequest:  # Any: arrays
    np.savez(folder / "images.npz", **columns)
    return ImportRequest(images=folder / "images.npz")


@bad(r"expected N x 5 x 64 x 64 \(bands ugriz\), found \(3, 4, 64, 64\)")
def images_with_four_bands(folder: Path) -> ImportRequest:
    return images(folder, images=stamps(3)[:, :4], **SKY)


@bad("expected bands u g r i z, found g r i z u")
def images_with_bands_in_another_order(folder: Path) -> ImportRequest:
    return images(folder, images=stamps(3), bands=np.array([*"grizu"]), **SKY)


@bad("expected nanomaggies as floats, found uint8")
def pictures_of_bytes(folder: Path) -> ImportRequest:
    return images(folder, images=stamps(3).astype(np.uint8), **SKY)


@bad("image 2: band g: expected finite pixels, found 1")
def an_image_with_a_hole(folder: Path) -> ImportRequest:
    pixels = stamps(3)
    pixels[1, 1, 5, 5] = np.nan
    return images(folder, images=pixels, **SKY)


@bad("image 3: band z: every pixel is 0")
def an_image_without_a_band(folder: Path) -> ImportRequest:
    pixels = stamps(3)
    pixels[2, 4] = 0
    return images(folder, images=pixels, **SKY)


@bad("expected positions")
def images_without_positions(folder: Path) -> ImportRequest:
    return images(folder, images=stamps(3))


@bad("ra: expected 3 finite degrees")
def images_with_too_few_positions(folder: Path) -> ImportRequest:
    return images(folder, images=stamps(3), ra=np.zeros(2), dec=np.zeros(3))


@bad("expected 3 different identifiers")
def images_with_an_identifier_twice(folder: Path) -> ImportRequest:
    names = np.array(["a", "b", "a"])
    return images(folder, images=stamps(3), object_id=names, **SKY)


@bad("expected an npz archive")
def an_archive_that_was_cut_off(folder: Path) -> ImportRequest:
    request = images(folder, images=stamps(3), **SKY)
    path = folder / "images.npz"
    path.write_bytes(path.read_bytes()[:2000])
    return request


@bad("expected an array of numbers|Object arrays")
def an_array_of_python_objects(folder: Path) -> ImportRequest:
    np.save(folder / "images.npy", np.array([{}]), allow_pickle=True)
    return ImportRequest(images=folder / "images.npy")


@bad("expected an array images")
def an_archive_without_images(folder: Path) -> ImportRequest:
    return images(folder, pictures=stamps(3))


@bad("frames are cut at known positions")
def frames_without_positions(folder: Path) -> ImportRequest:
    write_field(folder, ra=10.0, dec=0.0)
    return ImportRequest(images=folder)


@bad("expected five bands, found no z")
def a_field_of_four_frames(folder: Path) -> ImportRequest:
    write_field(folder, ra=10.0, dec=0.0)
    next(folder.glob("frame-z-*")).unlink()
    write_csv(galaxies(), folder / "catalog.csv")
    return ImportRequest(folder / "catalog.csv", images=folder)


@bad("--match row: expected an image for each of 40 rows")
def fewer_images_than_rows(folder: Path) -> ImportRequest:
    write_csv(galaxies(), folder / "catalog.csv")
    np.save(folder / "images.npy", stamps(3))
    return ImportRequest(
        folder / "catalog.csv", images=folder / "images.npy", match=MatchBy.ROW
    )


@bad("radius: expected arcseconds in")
def a_radius_of_a_degree(folder: Path) -> ImportRequest:
    write_csv(galaxies(), folder / "catalog.csv")
    return ImportRequest(folder / "catalog.csv", radius_arcsec=3600)
