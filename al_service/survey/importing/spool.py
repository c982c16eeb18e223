"""Arrays that arrive in any order, kept on disk until their rows are known."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_service.survey.importing.scratch_file import ScratchFile


class Spool(ScratchFile):
    """Rows of one shape, appended to a file and read back in any order."""

    def __init__(self, path: Path, row_shape: tuple[int, ...]) -> None:
        super().__init__(path)
        self._shape = row_shape
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, row: NDArray[np.floating[Any]]) -> int:
        """Keep a row; answers its number."""
        self._file.write(np.ascontiguousarray(row, dtype=np.float32).tobytes())
        self._count += 1
        return self._count - 1

    def take(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """`K x …` rows by their numbers, in this order."""
        self._file.flush()
        if not self._count:
            return np.empty((0, *self._shape), dtype=np.float32)
        stored = np.memmap(
            self._path,
            dtype=np.float32,
            mode="r",
            shape=(self._count, *self._shape),
        )
        return np.asarray(stored[np.asarray(rows, dtype=np.int64)])
