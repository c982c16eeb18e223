"""Features of objects: what a head needs, cached between full runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from threading import Lock
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray

from al_service.errors import RunStopped
from al_service.features.preparation import SPECTRUM
from al_service.features.scanned_redshift import believed_redshifts
from al_service.models.network import Network
from al_service.posterior.optimizing import one_thread
from al_service.survey.inputs import Inputs, Measured, Modality, Rows
from al_service.survey.targets import Target

CHUNK_ROWS: Final = 4096
"""Objects encoded at a time: activations stay within some tens of megabytes."""

PIXEL_CHUNK_ROWS: Final = 256
"""The same for objects with images or spectra, 120 kB each before anything is done."""


_SPECTRAL: Final = int(Modality.SPECTRUM | Modality.REDSHIFT)


@dataclass(frozen=True)
class Features:
    """Fused features and noise of `N` objects."""

    phi: NDArray[np.float32]
    """`N x D`, whitened."""
    noise: NDArray[np.float32]
    """`N x T` variances s² of a label, latent units squared."""
    patterns: NDArray[np.int64]
    """`N` unions of `Modality`."""
    scan: NDArray[np.float32] | None = None
    """`N x 3`: log(1 + z) of a redshift scan, its variance and its confidence, NaN
    where there is none that is believed; None where nobody has scanned."""
    blind_phi: NDArray[np.float32] | None = None
    """`N x D` without the spectrum. Where a scan speaks for z, the label teaches by
    this φ what photometry and image say; None where the network reads no spectra."""
    blind_noise: NDArray[np.float32] | None = None
    """`N x T` of `blind_phi`."""
    partial_phi: NDArray[np.float32] | None = None
    """`N x V x D` seen by each of the network's partial patterns: as `Encoded`."""
    partial_noise: NDArray[np.float32] | None = None
    """`N x V x T` of `partial_phi`."""

    def __len__(self) -> int:
        return len(self.phi)

    def take(self, rows: Rows) -> Self:
        """The objects of some rows, in their order."""
        return type(self)(**{name: part[rows] for name, part in self.arrays().items()})

    def without_spectra(self) -> Self:
        """The same objects as if no spectrum had been taken of them.

        Raises:
            ValueError: nobody has looked at them so.
        """
        if self.blind_phi is None or self.blind_noise is None:
            raise ValueError("expected features without spectra, found none")
        return type(self)(self.blind_phi, self.blind_noise, self.patterns & ~_SPECTRAL)

    def showing(self, place: int, pattern: int) -> Self:
        """The same objects as if no more had been measured of them than a pattern.

        Args:
            place: of the pattern among the network's partial ones.
            pattern: union of `Modality`.

        Raises:
            ValueError: nobody has looked at them so.
        """
        if self.partial_phi is None or self.partial_noise is None:
            raise ValueError("expected features of partial patterns, found none")
        spectral = bool(pattern & Modality.SPECTRUM)
        left = pattern | (int(Modality.REDSHIFT) if spectral else 0)
        return type(self)(
            self.partial_phi[:, place],
            self.partial_noise[:, place],
            self.patterns & left,
            self.scan if spectral else None,
        )

    def leaving_spectra(self, rows: Rows) -> Self:
        """The same objects, some of them as if no spectrum had been taken of them.

        Args:
            rows: which ones.
        """
        left = {name: part.copy() for name, part in self.arrays().items()}
        left["phi"][rows] = left["blind_phi"][rows]
        left["noise"][rows] = left["blind_noise"][rows]
        left["patterns"][rows] &= ~_SPECTRAL
        if "scan" in left:
            left["scan"][rows] = np.nan
        return type(self)(**left)

    def arrays(self) -> dict[str, NDArray[Any]]:  # Any: of several types
        """The parts that exist by name, to be stored."""
        return {
            field.name: part
            for field in fields(self)
            for part in [getattr(self, field.name)]
            if part is not None
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:  # Any: as above
        """What `arrays` gave."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: arrays[name] for name in names if name in arrays})


def extract(
    network: Network,
    measured: Measured,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> Features:
    """Features of objects under a trained network.

    Args:
        network: the network.
        measured: `N` objects, taken some at a time.
        should_stop: asked between two times.

    Raises:
        RunStopped: `should_stop` said so.
    """
    step, n = rows_at_once(network), len(measured)
    pieces = [slice(start, min(start + step, n)) for start in range(0, max(n, 1), step)]
    parts: dict[str, NDArray[Any]] = {}  # Any: of several types

    def take(rows: slice) -> Inputs:
        if rows.start > 0 and should_stop():
            raise RunStopped(f"looking stopped after {rows.start} of {n} objects")
        return measured.take(rows)

    for rows, features in zip(pieces, _each(network, take, pieces), strict=True):
        for name, part in features.arrays().items():
            if name not in parts:
                parts[name] = np.empty((n, *part.shape[1:]), dtype=part.dtype)
            parts[name][rows] = part
    return Features.from_arrays(parts)


def _each(
    network: Network, take: Callable[[slice], Inputs], pieces: Sequence[slice]
) -> Iterator[Features]:
    """Features of the pieces in their order, with pixels a core for each at a time.

    A second core helps the convolutions of one piece by a half, and reading and
    preparing pixels not at all.
    """
    if not network.module.sees_pixels:
        yield from (_extract(network, take(rows)) for rows in pieces)
        return
    reading = Lock()  # what is measured may be one file

    def look(rows: slice) -> Features:
        with reading:
            inputs = take(rows)
        return _extract(network, inputs)

    cores = torch.get_num_threads()
    with one_thread(), ThreadPoolExecutor(cores) as threads:
        yield from threads.map(look, pieces)


def rows_at_once(network: Network) -> int:
    """How many objects a network looks at together."""
    return PIXEL_CHUNK_ROWS if network.module.sees_pixels else CHUNK_ROWS


def _extract(network: Network, inputs: Inputs) -> Features:
    """Features of few objects at once."""
    scan = None
    if Target.Z in network.targets and may_see_spectra(network):
        scan = believed_redshifts(inputs)
    blind = scan is not None or _sees_spectra(network, inputs)
    encoded = network.encode(inputs, blind=blind)
    patterns = inputs.patterns
    if scan is not None:
        found = np.isfinite(scan[:, 0])
        patterns = patterns + np.where(found, int(Modality.REDSHIFT), 0)
    return Features(
        encoded.phi,
        encoded.noise,
        patterns,
        None if scan is None else scan.astype(np.float32),
        encoded.blind_phi,
        encoded.blind_noise,
        encoded.partial_phi,
        encoded.partial_noise,
    )


def may_see_spectra(network: Network) -> bool:
    """Whether the network was allowed to look at spectra, and so at their scans."""
    allowed = network.config.modalities
    return allowed is None or SPECTRUM in allowed


def _sees_spectra(network: Network, inputs: Inputs) -> bool:
    return SPECTRUM in network.modalities and inputs.has_spectrum is not None
