import numpy as np
import pytest

from al_service.acquisition.interest import Interest
from al_service.studies.examining import MOST_REPEATS, rows_of_interest, uniform_rows


def test_every_tenth_of_the_range_has_the_same_say() -> None:
    values = np.concatenate([np.linspace(0, 1, 900) ** 2, np.full(5, np.nan)])

    rows = uniform_rows(values)

    counts, _ = np.histogram(values[rows], bins=10)
    assert counts.min() > 0.9 * counts.max()
    assert np.isfinite(values[rows]).all()


def test_few_objects_do_not_become_a_tenth_of_the_sky() -> None:
    values = np.concatenate([np.linspace(0.0, 0.1, 990), np.linspace(0.9, 1.0, 10)])

    rows = uniform_rows(values)

    assert np.bincount(rows).max() <= MOST_REPEATS


def test_what_matters_more_comes_more_often() -> None:
    values = np.linspace(0.0, 0.4, 401)[:, None]
    declared = [Interest(target="z", low=0.2, weight=3.0)]

    rows = rows_of_interest(("z",), values, declared, 0)

    share = float((values[rows, 0] > 0.2).mean())
    assert share == pytest.approx(0.75, abs=0.01)
    assert len(rows) == 401


def test_unknown_values_examine_nothing() -> None:
    values = np.full((3, 1), np.nan)

    assert len(uniform_rows(values[:, 0])) == 0
    assert len(rows_of_interest(("z",), values, [], 0)) == 0
