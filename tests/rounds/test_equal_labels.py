"""Labels without spread, or of one object only, are labels: their run is published."""

from pathlib import Path

import pytest

from al_service.rounds import labeling
from al_service.rounds.labeling import NewLabel
from al_service.survey.splits import SplitName
from db.tables import Campaign
from db.vocabulary import RunKind
from tests.conftest import Database
from tests.rounds.observatory import LABELER, Observatory, build_observatory


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def tell(sky: Observatory, campaign_id: int, told: list[dict[str, float]]) -> None:
    """Labels of the first objects of the pool."""
    names = sky.object_ids(SplitName.POOL)
    with sky.sessions.begin() as session:
        labeling.tell(
            session,
            session.get_one(Campaign, campaign_id),
            labeler=LABELER,
            batch_id=None,
            labels=[
                NewLabel(object_id=name, values=values)
                for name, values in zip(names, told, strict=False)
            ],
        )


def test_equal_redshifts_are_predicted_with_room_for_doubt(sky: Observatory) -> None:
    """Their noise was 0, and the run ended as failed."""
    campaign_id = sky.open_campaign()
    tell(sky, campaign_id, [{"z": 0.1}] * 60)

    sky.publish(campaign_id, RunKind.FULL)
    sky.publish(campaign_id, RunKind.HEAD)

    assert len(sky.ranking(campaign_id)) == len(sky.object_ids("pool")) - 60
    for prediction in sky.predictions(campaign_id).values():
        said = prediction.targets["z"]
        assert said["mean"] == pytest.approx(0.1)
        assert said["aleatoric"] > 0.05


def test_a_single_label_of_a_second_target_stops_nothing(sky: Observatory) -> None:
    campaign_id = sky.open_campaign(targets=("z", "sfr_median"))
    told = [{"z": 0.02 + 0.003 * number} for number in range(60)]
    told[7]["sfr_median"] = 0.5
    tell(sky, campaign_id, told)

    sky.publish(campaign_id, RunKind.FULL)

    for prediction in sky.predictions(campaign_id).values():
        said = prediction.targets["sfr_median"]
        assert said["mean"] == pytest.approx(0.5, abs=0.5)
        assert said["aleatoric"] > 0.3
