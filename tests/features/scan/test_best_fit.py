"""The model of a spectrum: in its units, at its redshift."""

import numpy as np
import pytest

from al_service.features.scan.best_fit import fit_spectrum
from al_service.features.scan.marks import marked_lines
from al_service.features.scan.scanning import scan
from al_service.features.scan.templates import SpectralClass, template_sets
from al_service.survey.spectra import wavelengths
from tests.features.scan.skies import emission_line_galaxy, noisy
from tests.real_spectra import needs_real_spectra, real_arrays


@pytest.mark.parametrize("unit", [1.0, 1e-17, 250.0])
def test_the_model_is_the_spectrum_without_its_noise_in_its_unit(unit: float) -> None:
    truth = emission_line_galaxy(0.12)
    (flux,), (ivar,) = noisy(truth, 20.0, seed=1)
    model = fit_spectrum(
        flux * unit, ivar / unit**2, z=0.12, spectral_class=SpectralClass.GALAXY
    )
    off = (model / unit - truth) * np.sqrt(ivar)
    assert np.mean(off**2) < 0.35, "much closer to the truth than one pixel's noise"
    assert np.argmax(model) == pytest.approx(np.argmax(truth), abs=2)


def test_at_another_redshift_the_model_misses_the_lines() -> None:
    (flux,), (ivar,) = noisy(emission_line_galaxy(0.12), 20.0, seed=1)
    left = [
        float(
            np.sum(
                ivar
                * (
                    flux
                    - fit_spectrum(flux, ivar, z=z, spectral_class=SpectralClass.GALAXY)
                )
                ** 2
            )
        )
        for z in (0.12, 0.13)
    ]
    assert left[1] > left[0] + 1000


def test_templates_at_a_redshift_lie_where_the_scan_puts_them() -> None:
    """The scan slides by whole pixels; the model stands between them as well."""
    for templates in template_sets():
        shift = templates.n_shifts // 2
        z = float(templates.redshift(np.array(float(shift))))
        placed = templates.at_redshift(z)
        width = templates.bin_width
        binned = placed.reshape(len(placed), -1, width).mean(axis=2)
        start = templates.n_shifts - 1 - shift
        slid = templates.flux[:, start : start + binned.shape[1]]
        for one, other in zip(binned, slid, strict=True):
            if np.ptp(other) > 0:
                assert np.corrcoef(one, other)[0, 1] > 0.97


def test_masked_pixels_do_not_matter() -> None:
    (flux,), (ivar,) = noisy(emission_line_galaxy(0.12), 20.0, seed=1)
    ivar[1000:1100] = 0.0
    damaged = flux.copy()
    damaged[1000:1100] = np.nan
    models = [
        fit_spectrum(one, ivar, z=0.12, spectral_class=SpectralClass.GALAXY)
        for one in (flux, damaged)
    ]
    np.testing.assert_allclose(models[0], models[1], rtol=1e-6)


@needs_real_spectra
def test_the_models_of_real_spectra_leave_their_noise() -> None:
    flux, ivar = real_arrays()
    found = scan(flux, ivar)
    left = []
    for row in range(len(flux)):
        model = fit_spectrum(
            flux[row],
            ivar[row],
            z=found.z[row],
            spectral_class=SpectralClass(found.spectral_class[row]),
        )
        good = ivar[row] > 0
        left.append(np.median((flux[row] - model)[good] ** 2 * ivar[row][good]))
    # The median of a chi^2 of one degree of freedom is 0.45.
    assert np.median(left) < 0.9


def test_lines_are_where_the_redshift_puts_them_and_inside_of_the_spectrum() -> None:
    wave = wavelengths()
    bluest, reddest = float(wave[0]), float(wave[-1])
    for kind in SpectralClass:
        lines = marked_lines(kind, 0.3, bluest=bluest, reddest=reddest)
        seen = [line.wavelength_observed for line in lines]
        assert seen == sorted(seen)
        assert all(bluest <= one <= reddest for one in seen)
        assert all(
            line.wavelength_observed == pytest.approx(line.wavelength_rest * 1.3)
            for line in lines
        )
    galaxy = {
        line.name
        for line in marked_lines(
            SpectralClass.GALAXY, 0.3, bluest=bluest, reddest=reddest
        )
    }
    assert {"H alpha", "H beta", "[O II]", "[O III]", "Ca K"} <= galaxy
    quasar = {
        line.name
        for line in marked_lines(SpectralClass.QSO, 2.5, bluest=bluest, reddest=reddest)
    }
    assert quasar == {"Ly alpha", "Si IV", "C IV", "C III]", "Mg II"}
