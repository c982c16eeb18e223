from sqlalchemy import select
from sqlalchemy.orm import Session

from al_service.rounds.browsing import browse
from db.repositories.browsing import ScoredObject
from db.tables import Prediction, Run
from tests.db.factories import make_campaign, make_pool


def place_of(one: ScoredObject) -> tuple[float | None, int]:
    return one.score, one.id


def test_a_reader_who_began_before_the_first_predictions_sees_every_object_once(
    session: Session,
) -> None:
    """The place without a score was read as a score of 0: the rest was skipped."""
    make_pool(session, n_pool=20)
    campaign = make_campaign(session)
    first = browse(session, campaign, after=None, limit=8)
    assert {one.score for one in first} == {None}
    run_id = session.scalars(select(Run.id)).one()
    for number, one in enumerate(first):
        session.add(
            Prediction(
                campaign_id=campaign.id,
                sky_object_id=one.id,
                run_id=run_id,
                score=float(number + 1),
                targets={},
            )
        )
    session.flush()

    rest = browse(session, campaign, after=place_of(first[-1]), limit=20)

    assert len({one.id for one in [*first, *rest]}) == len(first) + len(rest) == 20
    best = browse(session, campaign, after=None, limit=3)
    assert [one.score for one in best] == [8.0, 7.0, 6.0]
    next_best = browse(session, campaign, after=place_of(best[-1]), limit=3)
    assert [one.score for one in next_best] == [5.0, 4.0, 3.0]
