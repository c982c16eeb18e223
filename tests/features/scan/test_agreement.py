"""A scan beside a pipeline."""

from dataclasses import astuple

import numpy as np
import pytest

from al_service.features.scan.agreement import Bin, agreement

Z = np.array([0.1, 0.2002, 2.0, 0.5, np.nan, 0.3])
CLASS = np.array(["GALAXY", "QSO", "QSO", "GALAXY", "", "GALAXY"])
SURE = np.array([0.99, 0.9, 0.97, 0.4, 0.0, 0.99])
PIPELINE_Z = np.array([0.1, 0.2, 2.02, 0.9, 0.4, np.nan])
PIPELINE_CLASS = np.array(["GALAXY", "GALAXY", "QSO", "GALAXY", "GALAXY", ""])


def test_errors_classes_and_confidences_are_compared_where_both_say_something() -> None:
    found = agreement(
        Z, CLASS, SURE, pipeline_z=PIPELINE_Z, pipeline_class=PIPELINE_CLASS
    )
    assert found.confusion == {
        ("GALAXY", "GALAXY"): 2,
        ("GALAXY", "QSO"): 1,
        ("QSO", "QSO"): 1,
    }
    assert found.median_error["GALAXY"] == pytest.approx(0.0002 / 1.2)
    assert found.largest_error["GALAXY"] == pytest.approx(0.4 / 1.9)
    # The quasar's error, 0.0066, is within what is allowed to a quasar.
    assert (found.right, found.count) == (3, 4)
    assert found.bins[:2] == [Bin(0.0, 0.5, 1, 0.4, 0.0), Bin(0.8, 0.95, 1, 0.9, 1.0)]
    (last,) = found.bins[2:]
    assert astuple(last) == pytest.approx((0.95, 1.0, 2, 0.98, 1.0))


def test_nothing_to_compare_is_nothing() -> None:
    none = np.zeros(0)
    names = np.zeros(0, dtype="<U6")
    found = agreement(none, names, none, pipeline_z=none, pipeline_class=names)
    assert (found.count, found.confusion, found.bins) == (0, {}, [])
