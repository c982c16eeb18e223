"""What a spectrum would be worth: exact, in its limits, and on a made-up survey."""

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.posterior.features import Features, extract
from al_service.posterior.fitting import fit_network
from al_service.posterior.head import Head
from al_service.posterior.spectrum_value import FEWEST, fit_spectrum_value
from al_service.posterior.teaching import fit_head
from al_service.survey.inputs import Modality
from tests.posterior.whole_sky import SMALL, whole_sky

D = 4
N = 400
BLIND = int(Modality.PHOTOMETRY | Modality.IMAGE)
NOISE = 0.09
"""Variance of a label of an object without a spectrum."""

CERTAIN = Head(
    targets=("sfr_median",),
    center=np.zeros(1),
    spread=np.ones(1),
    precision=np.ones((1, 1)),
    mean=np.zeros((1, 1, D + 1)),
    factor=np.zeros((1, 1, D + 1, D + 1)),
    n_labels=np.full(1, N),
)
"""Whose weights are known: all uncertainty is noise."""


def seen_twice(share: NDArray[np.float64]) -> Features:
    """Objects of whose standard deviation a spectrum leaves some share."""
    n = len(share)
    phi = np.random.default_rng(0).standard_normal((n, D)).astype(np.float32)
    return Features(
        phi,
        (NOISE * share[:, None] ** 2).astype(np.float32),
        np.full(n, BLIND | int(Modality.SPECTRUM)),
        blind_phi=phi,
        blind_noise=np.full((n, 1), NOISE, dtype=np.float32),
    )


def saved(teaching: Features, asked: Features) -> NDArray[np.float64]:
    value = fit_spectrum_value(CERTAIN, teaching)
    assert value is not None
    return value.saving(asked, CERTAIN.predict(asked))[:, 0]


def test_a_spectrum_that_halves_every_deviation_saves_half_of_it() -> None:
    teaching = seen_twice(np.full(N, 0.5))
    np.testing.assert_allclose(
        saved(teaching, teaching.without_spectra()), 0.5 * 0.3, rtol=1e-6
    )


def test_a_spectrum_that_tells_nothing_saves_nothing() -> None:
    teaching = seen_twice(np.ones(N))
    np.testing.assert_allclose(
        saved(teaching, teaching.without_spectra()), 0.0, atol=1e-7
    )


def test_it_is_worth_more_to_those_whose_like_gained_more() -> None:
    phi = seen_twice(np.ones(N)).phi[:, 0].astype(np.float64)
    teaching = seen_twice(0.5 + 0.2 * np.tanh(phi))
    found = saved(teaching, teaching.without_spectra())
    assert np.corrcoef(found, -phi)[0, 1] > 0.98
    assert found[phi < -1].mean() > 1.3 * found[phi > 1].mean()


def test_scans_that_fail_count_as_what_they_are() -> None:
    """The mean over logarithms promised a tenth of the deviation to everybody."""
    lucky = np.random.default_rng(1).random(N) < 0.75
    teaching = seen_twice(np.where(lucky, 0.01, 1.0))
    found = saved(teaching, teaching.without_spectra())
    assert found.mean() == pytest.approx(0.3 * 0.99 * lucky.mean(), rel=1e-3)


def test_nothing_is_said_of_objects_that_have_one() -> None:
    teaching = seen_twice(np.full(N, 0.5))
    assert np.isnan(saved(teaching, teaching)).all()


def test_few_spectra_say_nothing_of_others() -> None:
    few = seen_twice(np.full(FEWEST - 1, 0.5))
    assert fit_spectrum_value(CERTAIN, few) is None


def test_on_a_made_up_survey_it_foretells_what_spectra_did_to_others() -> None:
    sky = whole_sky(300)
    training = sky.training_set(("z", "sfr_median"))
    network = fit_network(training, targets=("z", "sfr_median"), config=SMALL, seed=0)
    known = extract(network, sky.inputs)
    head = fit_head(network, known, training.values, training.errors)
    value = fit_spectrum_value(head, known)
    assert value is not None
    new = whole_sky(300, seed=7)
    has = np.flatnonzero(np.asarray(new.inputs.has_spectrum))
    features = extract(network, new.inputs.take(has))
    unseen = features.without_spectra()
    before, after = head.predict(unseen), head.predict(features)
    foretold = value.saving(unseen, before).mean(axis=0)
    happened = (before.total_spread - after.total_spread).mean(axis=0)
    # Of z in log(1 + z), where nine tenths of the scans are believed.
    assert foretold[0] / (1.0 + before.mean[:, 0].mean()) == pytest.approx(
        happened[0], rel=0.15
    )
    assert foretold[1] == pytest.approx(happened[1], abs=0.3 * abs(happened[1]) + 0.01)
