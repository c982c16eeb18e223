"""The redshift scan: `scan` for arrays of spectra."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.scan.broad_lines import has_broad_lines
from al_service.features.scan.candidates import (
    N_CANDIDATES,
    Candidate,
    distinct,
    peaks,
)
from al_service.features.scan.confidence import confidence, lead_over
from al_service.features.scan.continuum import Prepared, prepare
from al_service.features.scan.correlation import gains
from al_service.features.scan.templates import (
    QUASAR_REDSHIFTS,
    SpectralClass,
    template_sets,
)
from al_service.survey.spectra.grid import N_PIXELS

SCAN_VERSION: Final = 1
"""Raised whenever the scan says something else of the same spectrum: what is stored of
pools is then computed anew."""

_TOGETHER: Final = 8
"""Spectra per round of FFTs: fewer cost more calls than they save in memory."""


@dataclass(frozen=True)
class ScanResult:
    """What the scan says of `N` spectra.

    A spectrum without any usable pixel has confidence 0 and no candidate.
    """

    z: NDArray[np.float64]
    """`N`, of the best candidate; NaN without one."""
    variance: NDArray[np.float64]
    """`N`, of z if the candidate is right; NaN without one."""
    confidence: NDArray[np.float64]
    """`N`, probability that the best candidate's redshift is right."""
    lead: NDArray[np.float64]
    """`N`, what the confidence is read from: the best candidate's lead in chi^2."""
    spectral_class: NDArray[np.str_]
    """`N`: GALAXY, QSO or STAR; empty without a candidate."""
    gain: NDArray[np.float64]
    """`N`, fall of chi^2; 0 without a candidate."""
    candidate_z: NDArray[np.float64]
    """`N x 5`, best first, NaN where there are fewer."""
    candidate_class: NDArray[np.str_]
    """`N x 5`."""
    candidate_gain: NDArray[np.float64]
    """`N x 5`, 0 where there are fewer."""

    def __len__(self) -> int:
        return len(self.z)


def scan(
    flux: NDArray[np.floating[Any]], ivar: NDArray[np.floating[Any]]
) -> ScanResult:
    """Redshift and class of spectra.

    Args:
        flux: `N x L` on the survey's grid, any unit.
        ivar: `N x L`, inverse variance in that unit; 0 for pixels not to be used.

    Raises:
        ValueError: Not two arrays `N x L`.
    """
    if flux.ndim != 2 or flux.shape[1] != N_PIXELS or flux.shape != ivar.shape:
        raise ValueError(
            f"expected flux and ivar of N x {N_PIXELS}, "
            f"found {flux.shape} and {ivar.shape}"
        )
    lists = [
        found
        for begin in range(0, len(flux), _TOGETHER)
        for found in _scan_some(
            flux[begin : begin + _TOGETHER], ivar[begin : begin + _TOGETHER]
        )
    ]
    return _result(lists)


def _scan_some(
    flux: NDArray[np.floating[Any]], ivar: NDArray[np.floating[Any]]
) -> Iterator[list[Candidate]]:
    """The candidates of a few spectra, best first."""
    prepared = prepare(flux, ivar)
    sets = template_sets()
    gain = [gains(s, prepared.residual, prepared.weight) for s in sets]
    for i in range(len(flux)):
        found = [
            candidate
            for templates, of_class in zip(sets, gain, strict=True)
            for candidate in peaks(templates, of_class[i])
        ]
        yield _classified(distinct(found), prepared, i)


def _classified(found: list[Candidate], prepared: Prepared, i: int) -> list[Candidate]:
    """The same candidates; the best, if it was a galaxy, may turn out a quasar."""
    if not found or found[0].spectral_class is not SpectralClass.GALAXY:
        return found
    best = found[0]
    if best.z > QUASAR_REDSHIFTS[0] and has_broad_lines(
        prepared.residual[i], prepared.weight[i], best.z
    ):
        return [replace(best, spectral_class=SpectralClass.QSO), *found[1:]]
    return found


def _result(lists: list[list[Candidate]]) -> ScanResult:
    shape = (len(lists), N_CANDIDATES)
    z, variance = np.full(shape, np.nan), np.full(shape, np.nan)
    gain, score = np.zeros(shape), np.zeros(shape)
    names = np.full(shape, "", dtype="<U6")
    for i, found in enumerate(lists):
        for j, candidate in enumerate(found):
            z[i, j], variance[i, j] = candidate.z, candidate.variance
            gain[i, j], score[i, j] = candidate.gain, max(candidate.score, 0.0)
            names[i, j] = candidate.spectral_class.value
    lead = lead_over(score[:, 0], score[:, 1])
    return ScanResult(
        z=z[:, 0],
        variance=variance[:, 0],
        confidence=confidence(lead, names[:, 0]),
        lead=lead,
        spectral_class=names[:, 0],
        gain=gain[:, 0],
        candidate_z=z,
        candidate_class=names,
        candidate_gain=gain,
    )
