import importlib.util

import pytest

from al_service.studies.speed.measuring import Size
from al_service.studies.speed.reference import measure


@pytest.mark.skipif(
    importlib.util.find_spec("bmdal_reg") is None,
    reason="the reference comes with the extra: pip install 'al-service[bench]'",
)
@pytest.mark.filterwarnings("ignore")  # what bmdal_reg imports warns about itself
def test_ours_choose_what_the_reference_implementation_chooses() -> None:
    """LCMD, BAIT and MaxDet, place by place, or a batch that is no worse."""
    for row in measure(Size.SMALL):
        ratio = row.facts["objective_over_theirs"]
        assert isinstance(ratio, float)
        assert row.facts["the_same_objects"] == 24 or ratio <= 1.0


def test_without_the_reference_our_own_time_stands_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("al_service.studies.speed.reference.is_installed", bool)

    for row in measure(Size.SMALL):
        assert row.ours > 0
        assert row.theirs is None
        assert "al-service[bench]" in str(row.facts["missing"])
