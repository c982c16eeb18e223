"""Homes of these tests are none of pytest's folders."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.folders import new_folder


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Like pytest's, but open to the account under which root's PostgreSQL runs."""
    with new_folder() as folder:
        yield folder
