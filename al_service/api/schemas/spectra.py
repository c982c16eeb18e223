"""Spectra with what the scan makes of them."""

from pydantic import Field

from al_service.api.schemas.fields import Output
from al_service.features.scan.templates import SpectralClass


class RedshiftCandidate(Output):
    """One redshift that the spectrum may have."""

    z: float
    spectral_class: SpectralClass = Field(serialization_alias="class")
    gain: float
    """Fall of chi^2."""
    confidence: float | None
    """Probability that it is right; null but for the first."""


class MarkedLine(Output):
    """One line of the best candidate, in a wavelength that was measured."""

    name: str
    wavelength_rest: float
    wavelength_observed: float


class Spectrum(Output):
    """A spectrum from its first measured pixel to the last one; lists of one length."""

    object_id: str
    pool: str
    wavelength: list[float]
    flux: list[float | None]
    error: list[float | None]
    """Standard deviations of the flux; null where masked."""
    mask: list[bool]
    """True for pixels that are not to be used."""
    model: list[float] | None
    """The best candidate's templates, in the unit of the flux; null without one."""
    candidates: list[RedshiftCandidate]
    """At most five, best first."""
    lines: list[MarkedLine]
    units: dict[str, str]
