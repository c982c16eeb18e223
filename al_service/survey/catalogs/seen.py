"""Which texts have been there before, in 16 bytes each.

Python holds a text of a set in 130 bytes: more than a gigabyte for the identifiers of
ten million galaxies, and all for one question.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

DIGEST_BYTES: Final = 16
"""Of fifty million different texts, two share a digest of so many in one catalog out of
10^23."""

SHARES: Final = 32
"""What is merged at a time is no more than one share of everything."""

_EDGES: Final = np.arange(256 // SHARES, 256, 256 // SHARES)
"""First bytes of the digests of each share but the first."""

Digests = NDArray[np.bytes_]


class SeenTexts:
    """Digests of texts, in shares by their first byte."""

    def __init__(self) -> None:
        self._shares = [_Share() for _ in range(SHARES)]

    def __len__(self) -> int:
        """How many different texts there were."""
        return sum(map(len, self._shares))

    def add(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Remember some texts.

        Returns:
            `K` flags: whether each was there before, among these or earlier.
        """
        digests, first = np.unique(_digests(texts), return_index=True)
        edges = np.searchsorted(digests.view(np.uint8)[::DIGEST_BYTES], _EDGES)
        repeated = np.ones(len(texts), dtype=bool)
        for share, some, places in zip(
            self._shares, np.split(digests, edges), np.split(first, edges), strict=True
        ):
            repeated[places[share.add(some)]] = False
        return repeated


class _Share:
    """Digests in sorted runs, each at least twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[Digests] = []

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    def add(self, digests: Digests) -> NDArray[np.bool_]:
        """Keep those that are new: `K` flags; they are sorted and all different."""
        new = np.ones(len(digests), dtype=bool)
        for run in self._runs:
            place = np.minimum(np.searchsorted(run, digests), len(run) - 1)
            new &= run[place] != digests
        run = digests[new]
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.concatenate([self._runs.pop(), run])
            run.sort(kind="stable")
        if len(run):
            self._runs.append(run)
        return new


def _digests(texts: Sequence[str]) -> Digests:
    joined = b"".join(
        blake2b(text.encode(), digest_size=DIGEST_BYTES).digest() for text in texts
    )
    return np.frombuffer(joined, dtype=f"S{DIGEST_BYTES}")
