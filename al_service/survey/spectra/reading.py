"""From a path to spectra, whatever survey product lies there."""

from collections.abc import Iterator
from pathlib import Path

from al_service.survey.spectra.sp_plate import read_sp_plate
from al_service.survey.spectra.spec_file import read_spec_file
from al_service.survey.spectra.spectrum import BadSpectrum, Spectrum

_KINDS = ("spec-*.fits", "spPlate-*.fits")
_PACKED = ("", ".gz", ".bz2", ".xz")


def find_spectrum_files(folder: Path) -> list[Path]:
    """Every `spec` and `spPlate` file below a folder, in the order of their paths.

    Files may be compressed; unfinished ones (`.part`) are passed over.

    Raises:
        BadSpectrum: There is no such folder.
    """
    if not folder.is_dir():
        raise BadSpectrum(folder, None, "no such folder")
    found = (
        path for kind in _KINDS for end in _PACKED for path in folder.rglob(kind + end)
    )
    return sorted(path for path in found if path.is_file())


def read_spectra(path: Path) -> Iterator[Spectrum]:
    """The spectra of one file: one of a `spec` file, many of an `spPlate`.

    Files are told apart by their names' beginning; a name that is neither is read as a
    `spec` file, since those get renamed most.

    Raises:
        BadSpectrum: The file is not what it should be.
    """
    if path.name.startswith("spPlate"):
        yield from read_sp_plate(path)
    else:
        yield read_spec_file(path)


def read_folder(folder: Path) -> Iterator[Spectrum]:
    """The spectra of all files below a folder, in order, one in memory at a time.

    Raises:
        BadSpectrum: A file is not what it should be; those before it were yielded.
    """
    for path in find_spectrum_files(folder):
        yield from read_spectra(path)
