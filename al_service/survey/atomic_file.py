"""Files that appear whole or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from al_service.survey.unfinished import held


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A hidden file beside `path` that takes its name if the block succeeds.

    Everything is on disk before the name appears, and gone where the block fails; what
    a killed writer leaves is found by `clear_abandoned`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        partial.touch()
        with held(partial) as is_ours:
            if not is_ours:
                continue
            try:
                with partial.open("wb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
            return
