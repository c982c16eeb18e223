import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from al_service.acquisition.config import StrategyConfig
from al_service.acquisition.quality import (
    QualityFlag,
    QuotaBy,
    Scanned,
    class_strata,
    color_strata,
    doubtful,
)
from al_service.errors import InvalidInput
from al_service.survey.photometry_columns import (
    BANDS,
    EXTINCTION,
    MODEL_FLUX,
    MODEL_FLUX_ERROR,
    PHOTOMETRY_COLUMNS,
)

R = BANDS.index("r")


def photometry(count: int = 4) -> NDArray[np.float32]:
    """Bright objects, as bright in every band, without extinction."""
    columns = np.full((count, len(PHOTOMETRY_COLUMNS)), 100.0, dtype=np.float32)
    columns[:, MODEL_FLUX_ERROR] = 1.0
    columns[:, EXTINCTION] = 0.0
    return columns


SCANNED = Scanned(
    has_spectrum=np.array([True, True, True, False]),
    confidence=np.array([0.99, 0.4, 0.95, 0.0]),
    spectral_class=np.array(["GALAXY", "GALAXY", "STAR", ""]),
)


def raised(
    flag: QualityFlag, columns: NDArray[np.float32], scanned: Scanned | None = None
) -> list[bool]:
    return [bool(one) for one in doubtful([flag], columns, scanned)]


def test_a_band_without_flux_or_error_is_incomplete() -> None:
    columns = photometry()
    columns[1, MODEL_FLUX][0] = np.nan
    columns[2, MODEL_FLUX_ERROR][4] = 0.0

    assert raised(QualityFlag.INCOMPLETE, columns) == [False, True, True, False]


def test_what_is_not_detected_in_r_is_faint() -> None:
    columns = photometry()
    columns[0, MODEL_FLUX][R] = 4.9
    columns[1, MODEL_FLUX][R] = 5.1
    columns[2, MODEL_FLUX][R] = np.nan  # nothing is known of it

    assert raised(QualityFlag.FAINT, columns) == [True, False, False, False]


def test_a_spectrum_without_a_believed_redshift_is_unsure_and_no_spectrum_is_not() -> (
    None
):
    found = raised(QualityFlag.UNSURE_REDSHIFT, photometry(), SCANNED)

    assert found == [False, True, False, False]


def test_only_a_believed_scan_says_that_it_is_no_galaxy() -> None:
    assert raised(QualityFlag.NOT_A_GALAXY, photometry(), SCANNED) == [
        False,
        False,
        True,
        False,
    ]


def test_any_of_several_flags_holds_an_object_back() -> None:
    columns = photometry()
    columns[3, MODEL_FLUX][R] = 1.0

    found = doubtful([QualityFlag.FAINT, QualityFlag.UNSURE_REDSHIFT], columns, SCANNED)

    assert found.tolist() == [False, True, False, True]
    assert not doubtful([], columns, None).any()


def test_flags_of_the_scan_need_one() -> None:
    with pytest.raises(InvalidInput, match="unsure_redshift: expected a redshift scan"):
        raised(QualityFlag.UNSURE_REDSHIFT, photometry())
    with pytest.raises(InvalidInput, match="spectral_class"):
        class_strata(None)


def test_blue_and_red_part_at_the_color_of_strateva() -> None:
    columns = photometry()
    columns[:, MODEL_FLUX][:, 0] = 100.0 * 10 ** (-0.4 * np.array([2.1, 2.3, 2.3, 0]))
    columns[2, EXTINCTION][0] = 0.2  # dust, not age
    columns[3, MODEL_FLUX][R] = np.nan

    assert color_strata(columns).tolist() == [0, 1, 0, -1]


def test_classes_are_those_of_believed_scans() -> None:
    assert class_strata(SCANNED).tolist() == [0, -1, 2, -1]


def test_a_quota_that_so_few_kinds_cannot_keep_is_refused_at_once() -> None:
    assert StrategyConfig(quota=0.5, quota_by=QuotaBy.COLOR).quota == 0.5
    with pytest.raises(ValidationError, match=r"at least 0\.333 by spectral_class"):
        StrategyConfig(quota=0.3, quota_by=QuotaBy.CLASS)
