"""Archives on loopback, and clients that lose no time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from al_service.fetch.fetching import Source
from al_service.fetch.patience import Patience
from al_service.fetch.transfer import Manners
from tests.fetch.archives import Archives
from tests.fetch.stock import stock
from tests.real_spectra import DATA

QUICK = Patience(tries=4, first_seconds=0.01)


@pytest.fixture(scope="session")
def spectra() -> list[Path]:
    """Real spectra of SDSS-I and BOSS."""
    found = sorted((DATA / "spectra").glob("spec-*.fits"))
    if not found:
        pytest.skip(f"no spectra in {DATA}: set AL_TEST_DATA")
    small = [path for path in found if path.stat().st_size < 300_000]
    return [*small[:4], *small[-2:]]


@pytest.fixture
def archives(spectra: list[Path]) -> Iterator[Archives]:
    with Archives() as archives:
        stock(archives, spectra)
        yield archives


@pytest.fixture
def source(archives: Archives) -> Source:
    return Source(
        archives.url,
        archives.archive_url,
        Manners(per_second=1000.0, timeout_seconds=5.0, patience=QUICK),
    )
