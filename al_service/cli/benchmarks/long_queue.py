"""A campaign with a long queue, written by the database itself."""

import json
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from al_service.cli.benchmarks.stage import Stage
from al_service.errors import ALServiceError
from al_service.rounds import claiming
from al_service.rounds.campaigns import NewCampaign, create_campaign
from al_service.rounds.claiming import Claim
from al_service.survey.targets import DEFAULT_TARGETS
from db.base import JsonObject
from db.repositories import campaigns, pools, rankings, runs
from db.repositories.predictions import NewPrediction, replace_predictions
from db.tables import Campaign
from db.vocabulary import RunKind, RunState

CAMPAIGN: Final = "crowded"

_POOL: Final = "crowded"

_OBJECTS: Final = """
INSERT INTO sky_object (
    pool_id, object_id, group_id, ra, dec, "row",
    has_photometry, has_image, has_spectrum, split
)
SELECT
    :pool, 'copy-' || n, 'copy-' || n, (n % 3600) / 10.0, (n % 1200) / 10.0 - 60, n - 1,
    true, false, false, 'pool'
FROM generate_series(1, :count) AS n
"""

_PREDICTION: Final[JsonObject] = {
    target: {
        "mean": 0.123456789,
        "epistemic": 0.0123456789,
        "aleatoric": 0.0123456789,
        "interval90": [0.1012345678, 0.1456789012],
        "calibrated": True,
    }
    for target in DEFAULT_TARGETS
}
"""As long as a real one."""

RANDOM_AHEAD: Final = 2000
"""Objects of the smallest random keys have predictions, like after a real run."""


def fill_queue(place: Stage, *, candidates: int, ranked: int) -> None:
    """Open a campaign with so many candidates, of which so many are ranked.

    Args:
        place: an empty database.
        candidates: how many objects may be asked.
        ranked: how many of them, spread over the table, are the head of the queue.
    """
    with place.sessions.begin() as session:
        pool_id = pools.start_import(
            session,
            _POOL,
            seed=0,
            arrays="nowhere",
            modalities=["photometry"],
            known_targets=DEFAULT_TARGETS,
        )
        session.execute(text(_OBJECTS), {"pool": pool_id, "count": candidates})
        pools.publish(session, pool_id or 0, manifest_digest="0", n_objects=candidates)
    with place.sessions.begin() as session:
        campaign = create_campaign(session, NewCampaign(name=CAMPAIGN, pool=_POOL))
        session.flush()
    place.settle()
    with place.sessions.begin() as session:
        _publish(session, campaign, _claimed(place, session, campaign), ranked)


def _claimed(place: Stage, session: Session, campaign: Campaign) -> Claim:
    planned = runs.live(session, campaign.id, RunKind.SCORE)
    run_id = 0 if planned is None else planned.id
    claim = claiming.claim(
        session, run_id, worker="bench", stale_after=place.settings.stale_after
    )
    if claim is None:
        raise ALServiceError("expected a planned run of a new campaign, found none")
    return claim


def _publish(session: Session, campaign: Campaign, claim: Claim, ranked: int) -> None:
    """What the publication of a run does."""
    claiming.finish(session, claim, RunState.PUBLISHED)
    spread = _spread(session, campaign, ranked)
    ahead = _ahead(session, campaign)
    replace_predictions(
        session,
        campaign.id,
        run_id=claim.run_id,
        predictions=[
            NewPrediction(one, 1.0, json.dumps(_PREDICTION))
            for one in dict.fromkeys(spread + ahead)
        ],
    )
    rankings.store_ranking(
        session,
        claim.run_id,
        sky_object_ids=spread,
        scores=[1.0 / (place + 1) for place in range(len(spread))],
        reason="lcmd",
    )
    campaigns.serve(session, campaign.id, claim.run_id)


def _spread(session: Session, campaign: Campaign, count: int) -> list[int]:
    """Objects from all over the table in an order that has nothing to do with it."""
    return list(
        session.scalars(
            text(
                "SELECT sky_object_id FROM candidate WHERE campaign_id = :campaign "
                "ORDER BY md5(sky_object_id::text) LIMIT :count"
            ),
            {"campaign": campaign.id, "count": count},
        )
    )


def _ahead(session: Session, campaign: Campaign) -> list[int]:
    return list(
        session.scalars(
            text(
                "SELECT sky_object_id FROM candidate WHERE campaign_id = :campaign "
                "ORDER BY random_key LIMIT :count"
            ),
            {"campaign": campaign.id, "count": RANDOM_AHEAD},
        )
    )
