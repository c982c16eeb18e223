"""Spectra of SDSS-I to SDSS-V on one grid: a module per survey product."""

from al_service.survey.spectra.grid import (
    LOGLAM_START,
    LOGLAM_STEP,
    N_PIXELS,
    wavelengths,
)
from al_service.survey.spectra.reading import (
    find_spectrum_files,
    read_folder,
    read_spectra,
)
from al_service.survey.spectra.spectrum import BadSpectrum, Spectrum

__all__ = [
    "LOGLAM_START",
    "LOGLAM_STEP",
    "N_PIXELS",
    "BadSpectrum",
    "Spectrum",
    "find_spectrum_files",
    "read_folder",
    "read_spectra",
    "wavelengths",
]
