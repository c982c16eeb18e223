"""What the served run says of objects, replaced as a whole."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.orm import Session

from db.repositories.copying import copy_rows
from db.tables import Prediction


@dataclass(frozen=True)
class NewPrediction:
    """What a run says of one object."""

    sky_object_id: int
    score: float
    targets: str
    """JSON: target → mean, epistemic, aleatoric, interval90, calibrated; and
    spectrum_saves of objects without a spectrum, where it is known."""


def replace_predictions(
    session: Session,
    campaign_id: int,
    *,
    run_id: int,
    predictions: Iterable[NewPrediction],
) -> int:
    """Replace every prediction of a campaign; answers how many there are now."""
    session.execute(delete(Prediction).where(Prediction.campaign_id == campaign_id))
    return copy_rows(
        session,
        Prediction.__tablename__,
        ("campaign_id", "sky_object_id", "run_id", "score", "targets"),
        (
            (campaign_id, one.sky_object_id, run_id, one.score, one.targets)
            for one in predictions
        ),
    )
