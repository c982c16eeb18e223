"""What a transfer will take, said before it begins."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from al_service.fetch.sas import Kind, RemoteFile

TYPICAL_BYTES_PER_SECOND: Final = 5e6
"""What a home or institute connection gets from the archive; only for the plan."""


@dataclass(frozen=True)
class Plan:
    """Counts and sizes; sizes are typical ones, known better only when files come."""

    objects: int
    spectra: int
    frames: int
    here: int
    """Files that are in the folder already; they are read and checked."""
    bytes_to_fetch: int
    per_second: float
    """Requests that may start in a second."""

    @property
    def files(self) -> int:
        """All of them."""
        return self.spectra + self.frames

    @property
    def to_fetch(self) -> int:
        """Files that are not here."""
        return self.files - self.here

    @property
    def seconds(self) -> float:
        """Set by the requests or by the bytes, whichever takes longer."""
        return max(
            self.to_fetch / self.per_second,
            self.bytes_to_fetch / TYPICAL_BYTES_PER_SECOND,
        )

    def as_json(self) -> dict[str, Any]:  # JSON
        """For reports."""
        return {
            "objects": self.objects,
            "spectra": self.spectra,
            "frames": self.frames,
            "here": self.here,
            "to_fetch": self.to_fetch,
            "bytes": self.bytes_to_fetch,
            "seconds": round(self.seconds, 1),
        }


def plan_transfer(
    files: Iterable[RemoteFile], folder: Path, *, objects: int, per_second: float
) -> Plan:
    """Count what is wanted and what is missing.

    Args:
        files: everything that the sample wants.
        folder: where they go.
        objects: rows of the catalog.
        per_second: requests that may start in a second.
    """
    spectra = frames = here = size = 0
    for file in files:
        spectra += file.kind is Kind.SPECTRUM
        frames += file.kind is Kind.FRAME
        if (folder / file.name).exists():
            here += 1
        else:
            size += file.typical_bytes
    return Plan(objects, spectra, frames, here, size, per_second)
