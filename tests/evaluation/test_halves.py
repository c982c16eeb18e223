import numpy as np

from al_service.evaluation.halves import is_calibration


def test_the_halves_are_halves() -> None:
    count = 4000

    calibrating = sum(is_calibration(f"object {number}") for number in range(count))

    assert abs(calibrating - count / 2) < 4 * np.sqrt(count / 4)


def test_the_half_of_an_object_never_changes() -> None:
    # Pinned: another answer would let calibration labels report coverage.
    names = ["SDSS J082820.80+361148.9", "a", "b", "c", "d"]

    assert [is_calibration(name) for name in names] == EXPECTED


EXPECTED = [True, False, False, False, False]
