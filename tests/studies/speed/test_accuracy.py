import pytest

from al_service.studies.speed.accuracy import measure_accuracy, measure_fit
from al_service.studies.speed.measuring import Size


def test_model_and_forest_are_examined_on_the_same_galaxies() -> None:
    (fit,) = measure_fit(Size.SMALL)
    rmse, mad, near68, near95 = measure_accuracy(Size.SMALL)
    # One seed at this size: both measure the same model and the same forest.
    assert fit.facts["rmse_norm"] == rmse.ours
    # The forest's two threads add its trees in any order: the last digit may differ.
    assert fit.facts["peer_rmse_norm"] == pytest.approx(rmse.theirs, rel=1e-12)
    assert fit.facts["sigma_mad"] == mad.ours
    # Guessing the mean redshift gives 0.055: both have learned something.
    assert 0 < rmse.ours < 0.04
    assert rmse.theirs is not None
    assert 0 < rmse.theirs < 0.04
    assert near68.theirs is near95.theirs is None
