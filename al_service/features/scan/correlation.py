"""How much better a template set explains a spectrum than nothing, at every redshift.

For templates T_k shifted by s pixels, weights w and residuals r,

    b_k(s) = sum_i w_i r_i T_k(i - s)        A_kl(s) = sum_i w_i T_k(i - s) T_l(i - s)

are correlations of w r and of w with T_k and with T_k T_l: one inverse FFT each gives
them for all shifts at once. The best amplitudes solve A a = b, and chi^2 falls by
b^T a: the gain. Tonry & Davis 1979 (AJ 84, 1511) with weights, and with several
templates together as in the pipelines of SDSS (Bolton et al. 2012, AJ 144, 144).
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from al_service.features.scan.templates import SpectralClass, TemplateSet, template_sets
from al_service.survey.spectra.grid import N_PIXELS

_RIDGE: Final = 1e-3
"""Of the largest norm: keeps templates apart that hardly overlap the spectrum."""

_ROUNDS: Final = 4
"""Of solving, each for the systems that the one before left with a negative amplitude;
after four hardly any is left."""

_FEW: Final = 0.4
"""Share of systems below which solving only those is quicker than solving all."""


@dataclass(frozen=True)
class _Transforms:
    """Transforms of a template set, ready to be multiplied."""

    length: int
    templates: NDArray[np.complex64]
    """`K x F`."""
    products: NDArray[np.complex64]
    """`K (K + 1) / 2 x F`, of T_k T_l for k <= l."""
    first: NDArray[np.int64]
    second: NDArray[np.int64]


def gains(
    templates: TemplateSet, residual: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Fall of chi^2 at every redshift of a template set.

    Args:
        templates: of one class.
        residual: `N x L`, spectra less their continuum.
        weight: `N x L`, inverse variance.

    Returns:
        `N x S` gains, one per shift from `templates.first_shift` on; >= 0.
    """
    ready = _transforms(templates.spectral_class)
    w, wr = _binned(weight, residual, templates.bin_width)
    cross = _correlate(ready, ready.templates, wr, templates.n_shifts)
    norms = _correlate(ready, ready.products, w, templates.n_shifts)
    k = len(templates.flux)
    matrix = np.empty((k, k, *cross.shape[1:]), dtype=np.float32)
    matrix[ready.first, ready.second] = norms
    matrix[ready.second, ready.first] = norms
    return solve_positive(matrix, cross)


def solve_positive(
    matrix: NDArray[np.float32], vector: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Gains of the best amplitudes >= 0: nature adds light, it never subtracts any.

    Solved with all templates, then without those that came out negative, and so on
    where others turn negative then. A template that is out stays out. Gains are mostly
    within a percent of those of exact non-negative least squares.

    Args:
        matrix: `K x K x ...`, changed in place.
        vector: `K x ...`, changed in place.

    Returns:
        `...` gains.
    """
    k, shape = len(vector), vector.shape[1:]
    matrix, vector = matrix.reshape(k, k, -1), vector.reshape(k, -1)
    diagonal = matrix[np.arange(k), np.arange(k)]
    matrix[np.arange(k), np.arange(k)] += _RIDGE * diagonal.max(axis=0) + 1e-20
    gain = np.zeros(vector.shape[1], dtype=np.float32)
    left: NDArray[np.intp] | slice = slice(None)
    for _ in range(_ROUNDS):
        amplitude, gain[left] = _cholesky_solve(matrix, vector)
        wrong = amplitude < 0
        some = wrong.any(axis=0)
        if not some.any():
            break
        if some.mean() < _FEW:  # copying the rest pays
            rows = np.flatnonzero(some)
            left = np.arange(len(gain))[left][rows]
            matrix, vector = matrix.take(rows, axis=2), vector.take(rows, axis=1)
            wrong = wrong.take(rows, axis=1)
        _leave_out(matrix, vector, wrong)
    return gain.reshape(shape)


def _leave_out(
    matrix: NDArray[np.float32],
    vector: NDArray[np.float32],
    wrong: NDArray[np.bool_],
) -> None:
    """Make some templates of some systems tell nothing, and tie them to no other."""
    vector[wrong] = 0.0
    own = np.einsum("kkn->kn", matrix).copy()
    kept = (~wrong).astype(matrix.dtype)
    matrix *= kept
    matrix *= kept[:, None]
    np.einsum("kkn->kn", matrix)[:] = own


def _cholesky_solve(
    matrix: NDArray[np.float32], vector: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Solve many small systems side by side: loops over `K`, vectors over the rest."""
    k = len(vector)
    lower = np.empty_like(matrix)
    half = np.empty_like(vector)
    for j in range(k):
        known = lower[j, :j]
        column = matrix[j:, j] - np.einsum("imn,mn->in", lower[j:, :j], known)
        lower[j, j] = np.sqrt(np.maximum(column[0], 1e-6 * matrix[j, j]))
        lower[j + 1 :, j] = column[1:] / lower[j, j]
        half[j] = (vector[j] - np.einsum("mn,mn->n", known, half[:j])) / lower[j, j]
    amplitude = np.empty_like(vector)
    for j in reversed(range(k)):
        tied = np.einsum("mn,mn->n", lower[j + 1 :, j], amplitude[j + 1 :])
        amplitude[j] = (half[j] - tied) / lower[j, j]
    return amplitude, np.einsum("mn,mn->n", half, half)


@cache
def _transforms(spectral_class: SpectralClass) -> _Transforms:
    (templates,) = (s for s in template_sets() if s.spectral_class is spectral_class)
    flux = templates.flux
    first, second = np.triu_indices(len(flux))
    length = fft.next_fast_len(flux.shape[1] + 1, real=True)
    return _Transforms(
        length,
        fft.rfft(flux, length),
        fft.rfft(flux[first] * flux[second], length),
        first,
        second,
    )


def _correlate(
    ready: _Transforms,
    patterns: NDArray[np.complex64],
    spectra: NDArray[np.float32],
    n_shifts: int,
) -> NDArray[np.float32]:
    """`P x N x S` correlations of `P` patterns with `N` spectra."""
    transformed = np.conj(fft.rfft(spectra, ready.length))
    product = patterns[:, None] * transformed
    # Lag 0 puts the spectrum at the template's blue end: the largest redshift.
    lags: NDArray[np.float32] = fft.irfft(product, ready.length)[..., :n_shifts]
    return lags[..., ::-1]


def _binned(
    weight: NDArray[np.float32], residual: NDArray[np.float32], width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if width == 1:
        return weight, weight * residual
    shape = (len(weight), N_PIXELS // width, width)
    return weight.reshape(shape).sum(2), (weight * residual).reshape(shape).sum(2)
