"""One FFT says what a thousand fits would."""

import numpy as np
import pytest
from scipy.optimize import nnls

from al_service.features.scan.correlation import gains, solve_positive
from al_service.features.scan.templates import TemplateSet, template_sets
from al_service.survey.spectra import N_PIXELS


def shifted(templates: TemplateSet, shift: int) -> np.ndarray:
    """`K x L'`, the templates as they lie over a spectrum at a shift."""
    start = templates.n_shifts - 1 - shift
    return templates.flux[:, start : start + N_PIXELS // templates.bin_width]


def noise(seed: int, n: int = 2) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    weight = generator.uniform(0.5, 2.0, (n, N_PIXELS)).astype(np.float32)
    weight[:, :300] = 0.0
    residual = generator.standard_normal((n, N_PIXELS)).astype(np.float32)
    return residual, weight


@pytest.mark.parametrize("templates", template_sets(), ids=lambda t: t.spectral_class)
def test_gains_are_those_of_fits_at_every_shift(templates: TemplateSet) -> None:
    residual, weight = noise(1)
    found = gains(templates, residual, weight)
    assert found.shape == (2, templates.n_shifts)
    width = templates.bin_width
    w = weight[1].reshape(-1, width).sum(axis=1).astype(np.float64)
    wr = (weight[1] * residual[1]).reshape(-1, width).sum(axis=1).astype(np.float64)
    for shift in np.linspace(0, templates.n_shifts - 1, 7).astype(int):
        flux = shifted(templates, shift).astype(np.float64)
        matrix = ((flux * w) @ flux.T)[:, :, None].astype(np.float32)
        vector = (flux @ wr)[:, None].astype(np.float32)
        direct = solve_positive(matrix, vector)[0]
        assert found[1, shift] == pytest.approx(direct, rel=2e-3, abs=0.02)


def test_a_spectrum_that_is_a_template_is_explained_whole() -> None:
    templates = template_sets()[0]
    shift = 700
    flux = np.repeat(shifted(templates, shift)[6], templates.bin_width)[None]
    weight = np.ones((1, N_PIXELS), dtype=np.float32)
    found = gains(templates, flux, weight)
    assert int(np.argmax(found[0])) == shift
    assert found[0, shift] == pytest.approx((flux**2).sum(), rel=5e-3)


def test_what_nature_would_have_to_subtract_gains_nothing() -> None:
    templates = template_sets()[0]
    flux = -np.repeat(shifted(templates, 700)[8], templates.bin_width)[None]
    weight = np.ones((1, N_PIXELS), dtype=np.float32)
    found = gains(templates, flux, weight)
    assert found[0, 700] < 0.2 * float((flux**2).sum())


def test_gains_are_those_of_exact_non_negative_least_squares() -> None:
    generator = np.random.default_rng(3)
    shares = []
    for number in range(90):
        templates = template_sets()[number % 3]
        flux = shifted(templates, int(generator.integers(templates.n_shifts)))
        design = flux.T.astype(np.float64)
        data = generator.standard_normal(len(design))
        data += design @ generator.uniform(0.0, 30.0, len(flux))
        _, left = nnls(design, data)
        matrix = (design.T @ design)[:, :, None].astype(np.float32)
        vector = (design.T @ data)[:, None].astype(np.float32)
        exact = float(data @ data - left**2)
        shares.append(float(solve_positive(matrix, vector)[0]) / exact)
    assert np.median(shares) == pytest.approx(1.0, abs=5e-3)
    assert min(shares) > 0.9
    assert max(shares) < 1.02


def test_spectra_do_not_disturb_each_other() -> None:
    templates = template_sets()[1]
    residual, weight = noise(5, n=3)
    together = gains(templates, residual, weight)
    alone = gains(templates, residual[1:2], weight[1:2])
    np.testing.assert_allclose(together[1], alone[0], rtol=1e-3, atol=1e-2)
