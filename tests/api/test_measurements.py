"""Pictures and spectra of objects, over HTTP."""

import io
import json
import math
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from PIL import Image

from al_service.client import Client, RequestRefused
from al_service.features.scan.scanning import scan
from al_service.survey.images.pictures import band_picture, color_picture
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.spectra import wavelengths
from db.vocabulary import Role
from tests.api.conftest import API, Door, Sky, object_id
from tests.rounds.spectral_pools import (
    REDSHIFTS,
    UNUSABLE,
    WITH_IMAGES,
    import_spectral_pool,
    name_of,
)

pytestmark = pytest.mark.usefixtures("arrays")

SEEN = 250
"""First pixel that was measured, of every spectrum of the pool."""


@pytest.fixture(scope="module")
def arrays(sky: Sky) -> PoolArrays:
    artifacts = sky.settings.artifacts_folder
    import_spectral_pool(sky.database.sessions, artifacts)
    return PoolArrays.open(artifacts / "pools" / "spectral")


def get(door: Door, name: str, what: str, **query: object) -> httpx.Response:
    path = f"{API}/objects/{quote(name, safe='')}/{what}"
    return door.viewer.get(path, params={key: str(one) for key, one in query.items()})


def spectrum_of(door: Door, row: int) -> dict[str, Any]:  # JSON: any shape
    answer = get(door, name_of(row), "spectrum")
    assert answer.status_code == 200, answer.text
    # NaN is no JSON, though Python reads it.
    found: dict[str, Any] = json.loads(answer.text, parse_constant=pytest.fail)
    return found


def picture(answer: httpx.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "image/png"
    return np.array(Image.open(io.BytesIO(answer.content)))


def test_a_picture_shows_the_stamp_in_color(door: Door, arrays: PoolArrays) -> None:
    (stamp,) = arrays.inputs(slice(2, 3)).image  # type: ignore[misc] # it has images
    drawn = picture(get(door, name_of(2), "image.png", size=64))
    np.testing.assert_array_equal(drawn, color_picture(stamp))
    enlarged = picture(get(door, name_of(2), "image.png"))
    assert enlarged.shape == (256, 256, 3)
    np.testing.assert_array_equal(enlarged[::4, ::4], drawn)


@pytest.mark.parametrize("band", "ugriz")
def test_a_picture_shows_one_band_in_gray(
    door: Door, arrays: PoolArrays, band: str
) -> None:
    (stamp,) = arrays.inputs(slice(2, 3)).image  # type: ignore[misc] # it has images
    drawn = picture(get(door, name_of(2), "image.png", band=band, size=64))
    np.testing.assert_array_equal(drawn, band_picture(stamp, band))


@pytest.mark.parametrize("size", [16, 100, 1024])
def test_a_picture_has_the_size_that_was_asked_for(door: Door, size: int) -> None:
    assert picture(get(door, name_of(0), "image.png", size=size)).shape[:2] == (
        size,
        size,
    )


def test_a_spectrum_comes_as_it_is_stored(door: Door, arrays: PoolArrays) -> None:
    row = 5
    (stored,) = arrays.spectra(slice(row, row + 1)).astype(np.float64)
    shown = spectrum_of(door, row)
    assert shown["wavelength"] == pytest.approx(wavelengths()[SEEN:], abs=1e-3)
    assert shown["flux"] == pytest.approx(stored[0, SEEN:], rel=1e-5)
    assert shown["error"] == pytest.approx(stored[1, SEEN:] ** -0.5, rel=1e-5)
    assert not any(shown["mask"])
    assert shown["units"] == {
        "wavelength": "Angstrom, vacuum",
        "flux": "1e-17 erg / (s cm2 Angstrom)",
    }


@pytest.mark.parametrize("row", REDSHIFTS)
def test_a_spectrum_has_candidates_and_the_lines_and_model_of_the_best(
    door: Door, arrays: PoolArrays, row: int
) -> None:
    shown = spectrum_of(door, row)
    best, *others = shown["candidates"]
    assert best["z"] == pytest.approx(REDSHIFTS[row], abs=1e-3)
    assert best["class"] == "GALAXY"
    assert best["confidence"] > 0.9
    assert len(others) == 4
    assert {one["confidence"] for one in others} == {None}
    (stored,) = arrays.spectra(slice(row, row + 1))
    said = scan(stored[:1], stored[1:])
    gains = [one["gain"] for one in shown["candidates"]]
    assert gains == pytest.approx(said.candidate_gain[0], rel=1e-3)
    lines = {one["name"]: one for one in shown["lines"]}
    seen = lines["H beta"]["wavelength_observed"]
    assert seen == pytest.approx(4862.68 * (1 + best["z"]))
    off = (np.array(shown["model"]) - shown["flux"]) / shown["error"]
    assert np.mean(off**2) < 1.6, "the model is the spectrum, but for its noise"


def test_masked_pixels_have_no_error_and_no_number_is_not_json(door: Door) -> None:
    shown = spectrum_of(door, UNUSABLE)
    assert all(shown["mask"])
    assert set(shown["error"]) == {None}
    assert shown["model"] is None
    assert shown["candidates"] == shown["lines"] == []
    assert all(math.isfinite(one) for one in shown["flux"])


@pytest.mark.parametrize("what", ["image.png", "spectrum"])
def test_a_client_that_has_it_is_told_so_and_nothing_is_drawn(
    door: Door, what: str
) -> None:
    path = f"{API}/objects/{quote(name_of(3))}/{what}"
    first = door.viewer.get(path)
    tag = first.headers["ETag"]
    assert "private" in first.headers["Cache-Control"]
    for said in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = door.viewer.get(path, headers={"If-None-Match": said})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == tag
    other = door.viewer.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_every_picture_has_a_tag_of_its_own(door: Door) -> None:
    tags = [
        get(door, name_of(row), "image.png", **query).headers["ETag"]
        for row in (2, 3)
        for query in ({}, {"size": 64}, {"band": "r"}, {"band": "g"})
    ]
    assert len(set(tags)) == len(tags)


def test_an_object_without_a_picture_or_a_spectrum_says_so(door: Door) -> None:
    without = get(door, name_of(len(WITH_IMAGES)), "image.png")
    assert without.status_code == 404
    assert without.json()["type"] == "urn:al-service:problem:not-measured"
    assert "has no image" in without.json()["detail"]
    assert "has no spectrum" in get(door, name_of(0), "spectrum").json()["detail"]
    assert "has no spectrum" in get(door, object_id(1), "spectrum").json()["detail"]
    unknown = get(door, "nowhere", "spectrum")
    assert (unknown.status_code, unknown.json()["type"]) == (
        404,
        "urn:al-service:problem:not-found",
    )


@pytest.mark.parametrize(
    "query", [{"band": "y"}, {"size": 15}, {"size": 1025}, {"size": "big"}, {"x": 1}]
)
def test_a_picture_that_cannot_be_drawn_is_refused(
    door: Door, query: dict[str, object]
) -> None:
    answer = get(door, name_of(0), "image.png", **query)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_nobody_sees_anything_without_a_token(door: Door) -> None:
    for what in ("image.png", "spectrum"):
        answer = door.http.get(f"{API}/objects/{quote(name_of(3))}/{what}")
        assert answer.status_code == 401


def test_an_object_links_to_what_it_has(door: Door) -> None:
    both, bare = (
        door.viewer.get(f"{API}/objects/{quote(name_of(row))}").json()["links"]
        for row in (3, 290)
    )
    assert set(both) == {"object", "image", "spectrum"}
    assert set(bare) == {"object"}
    for link in both.values():
        assert door.viewer.get(link).status_code == 200


def test_a_batch_links_to_its_pictures_and_spectra(door: Door) -> None:
    campaign = door.open_campaign(pool="spectral", evaluation_size=0)
    path = f"{API}/campaigns/{campaign}/batches"
    items = door.labeler.post(path, json={"size": 100}).json()["items"]
    rows = [int(item["object_id"].removeprefix("SDSS J")) for item in items]
    for row, item in zip(rows, items, strict=True):
        for what, there in (("image", WITH_IMAGES), ("spectrum", REDSHIFTS)):
            if row != UNUSABLE and row < 50:
                status = door.viewer.get(item["links"][what]).status_code
                assert status == (200 if row in there else 404)


def test_the_client_brings_pictures_and_spectra(door: Door) -> None:
    with Client(door.url, door.secrets[Role.VIEWER]) as client:
        drawn = client.image(name_of(3), band="r", size=64)
        shown = client.spectrum(name_of(3), pool="spectral")
        with pytest.raises(RequestRefused, match="has no spectrum"):
            client.spectrum(name_of(0))
    assert Image.open(io.BytesIO(drawn)).size == (64, 64)
    assert shown["candidates"][0]["z"] == pytest.approx(REDSHIFTS[3], abs=1e-3)
