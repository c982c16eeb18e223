"""Arrays that arrive in any order, kept on disk until their rows are known."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Spool(AbstractContextManager["Spool"]):
    """Rows of one shape, appended to a file and read back in any order."""

    def __init__(self, path: Path, row_shape: tuple[int, ...]) -> None:
        self._path, self._shape = path, row_shape
        self._file = path.open("wb")
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the disk back."""
        self._file.close()
        self._path.unlink(missing_ok=True)
