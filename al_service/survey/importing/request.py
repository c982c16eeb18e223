"""What is to be imported, how it belongs together, and what came of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from al_service.survey.positions import MATCH_RADIUS_ARCSEC


class MatchBy(StrEnum):
    """How a spectrum or an image finds its object."""

    POSITION = "position"  # the nearest object within the radius
    ID = "id"  # plate-mjd-fiber, specObjID, objID or the image's own name
    ROW = "row"  # the first image is the catalog's first row, and so on


@dataclass(frozen=True)
class ImportRequest:
    """Any subset of catalog, spectra and images."""

    catalog: Path | None = None
    declared: Mapping[str, str] = field(default_factory=dict)
    """The catalog's columns, as `read_declaration` returns them."""
    hdu: str | None = None
    """HDU of a FITS catalog."""
    spectra: Path | None = None
    """Folder of spectra, or one file."""
    images: Path | None = None
    """Folder of frames or cutouts, or a file of all cutouts."""
    match: MatchBy = MatchBy.POSITION
    radius_arcsec: float = MATCH_RADIUS_ARCSEC
    """Within it two positions are one galaxy."""
    pipeline_z: bool = False
    """Take the redshifts of the spectra's pipeline for known labels."""


class Progress(Protocol):
    """Told how far a stage is."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """`total` is None where only the end tells."""
        ...


@dataclass
class ImportCounts:
    """What an import found."""

    objects: int = 0
    galaxies: int = 0
    catalog_rows: int = 0
    spectra: int = 0
    spectra_matched: int = 0
    images: int = 0
    images_matched: int = 0
    repeated: int = 0
    """Objects that are another observation of a galaxy that is there already."""
    joined_groups: int = 0
    """Objects whose declared galaxies were found at one place."""
    known_labels: int = 0
    distrusted_labels: int = 0
    """Known labels left out because of their own flags (zwarning, reliable)."""
    without_image: int = 0
    problems: int = 0

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        """The counts by name."""
        return asdict(self)
