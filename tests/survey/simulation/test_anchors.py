"""Anchors are the real galaxies without their noise."""

import numpy as np
import pytest

from al_service.survey.photometry_columns import MODEL_FLUX, MODEL_FLUX_ERROR
from al_service.survey.sdss10k import read_sdss10k
from al_service.survey.simulation.anchors import (
    Anchors,
    draw_anchors,
    perturbed,
    read_anchors,
)
from al_service.survey.simulation.settings import default_settings
from al_service.survey.simulation.starlight import flux_table

SETTINGS = default_settings().anchors


@pytest.fixture(scope="module")
def anchors() -> Anchors:
    return read_anchors(SETTINGS)


def observed_fluxes(anchors: Anchors) -> np.ndarray:
    template = np.einsum("nk,nkb->nb", anchors.weights, flux_table(anchors.redshift))
    flux = template * np.exp(anchors.residual) * 10 ** (-0.4 * anchors.extinction)
    return np.asarray(flux)


def test_fluxes_agree_with_the_measured_ones_within_errors(anchors: Anchors) -> None:
    _, photometry = read_sdss10k()
    assert len(anchors) == len(photometry)
    measured, error = photometry[:, MODEL_FLUX], photometry[:, MODEL_FLUX_ERROR]
    allowed = np.hypot(error, SETTINGS.smallest_relative_error * measured)
    off = (observed_fluxes(anchors) - measured) / allowed
    assert np.nanmedian(np.abs(off)) < 1.0
    bright = np.nanmedian(np.abs(off), axis=0)
    assert (bright < 1.0).all()


def test_noise_is_taken_out_where_it_is_large(anchors: Anchors) -> None:
    _, photometry = read_sdss10k()
    error = photometry[:, MODEL_FLUX_ERROR] / np.abs(photometry[:, MODEL_FLUX])
    noisy = error[:, 0] > 0.3
    assert noisy.sum() > 100
    # Of a residual of 30 % next to nothing stays.
    assert np.abs(anchors.residual[noisy, 0]).max() < 0.05


def test_every_galaxy_comes_once_before_any_comes_again(anchors: Anchors) -> None:
    rows, rounds = draw_anchors(anchors, 0, len(anchors) + 50, seed=2)
    assert len(set(rows[: len(anchors)])) == len(anchors)
    assert rounds.tolist() == [0] * len(anchors) + [1] * 50
    # Any stretch is drawn alike, alone or within a longer one.
    part, _ = draw_anchors(anchors, 9990, 30, seed=2)
    np.testing.assert_array_equal(part, rows[9990:10_020])


def test_a_galaxy_that_comes_again_differs_a_little(anchors: Anchors) -> None:
    some = anchors.take(np.arange(500))
    again = np.arange(500) % 2 == 1
    changed = perturbed(some, again, SETTINGS, np.random.default_rng(0))
    np.testing.assert_array_equal(changed.weights[~again], some.weights[~again])
    np.testing.assert_array_equal(changed.redshift[~again], some.redshift[~again])
    before, after = observed_fluxes(some)[again], observed_fluxes(changed)[again]
    magnitudes = -2.5 * np.log10(after / before)
    assert 0.05 < magnitudes.std() < 0.5
    assert (changed.redshift > 0).all()
    np.testing.assert_array_equal(changed.group_ids, some.group_ids)
