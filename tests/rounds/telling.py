"""Telling labels of a small campaign in few words."""

import pytest
from sqlalchemy.orm import Session

from al_service.errors import InvalidLabels
from al_service.rounds.labeling import (
    NewLabel,
    StoredLabel,
    tell,
)
from db.tables import Campaign
from tests.db.factories import make_campaign, make_pool, object_name


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session, n_pool=8, n_evaluation=4, n_excluded=1)
    return make_campaign(
        session, targets=("z", "sfr_p16", "sfr_median", "sfr_p84"), evaluation_size=2
    )


def say(
    session: Session,
    campaign: Campaign,
    *labels: NewLabel,
    labeler: str = "ann",
    batch_id: int | None = None,
) -> list[StoredLabel]:
    return tell(session, campaign, labeler=labeler, batch_id=batch_id, labels=labels)


def z(number: int, value: float = 0.1, **more: object) -> NewLabel:
    return NewLabel(object_name(number), {"z": value}, **more)  # type: ignore[arg-type] # any field


def refusals(
    session: Session, campaign: Campaign, *labels: NewLabel, labeler: str = "ann"
) -> dict[str, str]:
    with pytest.raises(InvalidLabels) as refused:
        say(session, campaign, *labels, labeler=labeler)
    return {problem.where: problem.message for problem in refused.value.problems}
