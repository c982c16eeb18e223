"""Spectra that are compressed are read like plain ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from al_service.errors import UnreadableFile
from al_service.survey.catalogs.plain_files import plain_file
from al_service.survey.spectra.spectrum import BadSpectrum


@contextmanager
def plain_spectrum(path: Path) -> Iterator[Path]:
    """The file itself, or while the block lasts a decompressed copy.

    Raises:
        BadSpectrum: there is no such file, it is empty or cut off, or it grows out of
            all proportion.
    """
    try:
        with plain_file(path) as plain:
            yield plain
    except UnreadableFile as error:
        message = str(error).removeprefix(f"{path}: ")
        raise BadSpectrum(path, None, message) from error
