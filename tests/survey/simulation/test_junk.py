"""Gaps and junk come in the shares that were chosen."""

import numpy as np
import pytest

from al_service.survey.simulation.junk import JUNK, Kind, draw_gaps, spoil_images
from al_service.survey.simulation.settings import GapSettings

N = 20_000
SETTINGS = GapSettings(
    without_image=0.1,
    without_spectrum=0.7,
    without_photometry=0.05,
    without_star_formation=0.2,
    without_labels=0.1,
    junk=0.03,
)


def test_shares_are_those_of_the_settings() -> None:
    gaps = draw_gaps(N, SETTINGS, np.random.default_rng(0))
    assert gaps.has_image.mean() == pytest.approx(0.9, abs=0.01)
    assert gaps.has_spectrum.mean() == pytest.approx(0.3, abs=0.01)
    # An object without image and spectrum keeps its photometry.
    assert gaps.has_photometry.mean() == pytest.approx(1 - 0.05 * 0.93, abs=0.01)
    assert gaps.junk.mean() == pytest.approx(0.03, abs=0.005)
    assert gaps.has_redshift.mean() == pytest.approx(0.97 * 0.9, abs=0.01)
    assert gaps.has_star_formation.mean() == pytest.approx(0.97 * 0.9 * 0.8, abs=0.01)


def test_every_object_has_something_and_junk_has_no_label() -> None:
    gaps = draw_gaps(N, SETTINGS, np.random.default_rng(0))
    assert (gaps.has_image | gaps.has_spectrum | gaps.has_photometry).all()
    assert not gaps.has_redshift[gaps.junk].any()
    assert set(gaps.kind) == {kind.value for kind in Kind}


def test_junk_replaces_the_image_of_a_galaxy_and_galaxies_stay() -> None:
    kinds = np.array([kind.value for kind in (Kind.GALAXY, *JUNK)])
    images = np.ones((len(kinds), 5, 64, 64), dtype=np.float32)
    spoil_images(images, kinds, np.random.default_rng(0))
    galaxy, sky, trail, star = images
    assert (galaxy == 1).all()
    assert not sky.any()
    # A trail crosses the stamp, a star has a peak.
    assert (trail[2].max(axis=0) > 0.1).all() or (trail[2].max(axis=1) > 0.1).all()
    assert star[2].max() > 20 * np.median(star[2])
