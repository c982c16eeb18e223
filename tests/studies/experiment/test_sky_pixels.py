"""Pixels that were prepared before are those that would be prepared now."""

from pathlib import Path

import numpy as np

from al_service.features.preparation import IMAGE, PIXELS_OF, SPECTRUM, prepare
from al_service.studies.experiment.sky import ExperimentSky

BOTH = (IMAGE, SPECTRUM)
ROWS = np.array([7, 3, 40, 12])


def test_prepared_pixels_are_those_of_the_pool_to_half_precision(
    whole_sky: ExperimentSky, tmp_path: Path
) -> None:
    raw = whole_sky.examples(ROWS, BOTH).measurements.inputs

    kept = whole_sky.keeping_pixels(tmp_path)
    read = kept.examples(ROWS, BOTH).measurements.inputs

    assert read.image is None
    assert read.spectrum is None
    now, before = prepare(raw, BOTH), prepare(read, BOTH)
    assert set(now) == set(before)
    for name, part in now.items():
        if name in PIXELS_OF.values():
            np.testing.assert_allclose(before[name], part, rtol=1e-3, atol=1e-3)
        else:
            np.testing.assert_array_equal(before[name], part)
    np.testing.assert_array_equal(read.patterns, raw.patterns)


def test_pixels_that_were_prepared_can_still_be_hidden(
    whole_sky: ExperimentSky, tmp_path: Path
) -> None:
    seen = whole_sky.keeping_pixels(tmp_path).examples(ROWS, BOTH).measurements

    blind = prepare(seen.without(SPECTRUM).inputs, BOTH)

    assert np.isnan(blind["lines"]).all()
    assert not blind["channels"].any()
    np.testing.assert_array_equal(blind["pixels"], prepare(seen.inputs, BOTH)["pixels"])
    assert np.isfinite(prepare(seen.inputs, BOTH)["lines"]).any()


def test_pixels_that_were_prepared_otherwise_are_prepared_again(
    whole_sky: ExperimentSky, tmp_path: Path
) -> None:
    """Another version of the stretch: what it left behind is not believed."""
    rows = np.flatnonzero(whole_sky.arrays.flags[IMAGE])[:3]
    kept = whole_sky.keeping_pixels(tmp_path)
    first = prepare(kept.examples(rows, (IMAGE,)).measurements.inputs, (IMAGE,))
    after = whole_sky.keeping_pixels(tmp_path)  # what was kept is compared when opened
    (path,) = tmp_path.rglob("pixels.npy")
    stored = np.load(path)
    np.save(path, 2 * stored + 1)

    again = prepare(after.examples(rows, (IMAGE,)).measurements.inputs, (IMAGE,))

    np.testing.assert_array_equal(again["pixels"], first["pixels"])
