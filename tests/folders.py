"""Folders in which a PostgreSQL may live while other tests start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder that is none of pytest's.

    Every pytest that starts closes pytest's own folders to other accounts, and for
    root PostgreSQL runs under another account.
    """
    with TemporaryDirectory(prefix="al-tests-") as folder:
        yield Path(folder).resolve()
