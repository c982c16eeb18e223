"""A campaign with a served network: pool on disk, labels, features of everything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from sqlalchemy import select

from al_service.cli.benchmarks.stage import Stage
from al_service.errors import ALServiceError
from al_service.models.config import ModelConfig
from al_service.rounds import labeling, planning, retraining
from al_service.rounds.campaigns import NewCampaign, create_campaign, find_campaign
from al_service.rounds.labeling import NewLabel
from al_service.rounds.policy import RetrainPolicy, Threshold
from al_service.rounds.pools import POOLS_FOLDER, import_pool
from al_service.studies.speed.large_pool import write_large_pool
from al_service.survey.pool_arrays import PoolArrays
from db.tables import Candidate, Run, SkyObject
from db.vocabulary import RunKind, RunState, Split

CAMPAIGN: Final = "taught"
LABELER: Final = "bench"

_POOL: Final = "large"
_NEVER: Final = Threshold(labels=10**9, seconds=1e9)
_AT_ONCE: Final = Threshold(labels=1, seconds=1.0)
_TOLD_AT_ONCE: Final = 500
_LABELS_AT_MOST: Final = 10_000


@dataclass(frozen=True)
class Teaching:
    """How large, and how many labels."""

    objects: int
    labels: int
    dim: int


@dataclass(frozen=True)
class TaughtCampaign:
    """A campaign that serves a network, and the labels that are still to be told."""

    place: Stage
    id: int
    untold: Iterator[NewLabel]
    network_digest: str

    def tell(self, count: int) -> None:
        """Tell the next labels, like a request does: one transaction."""
        labels = list(islice(self.untold, count))
        with self.place.sessions.begin() as session:
            campaign = find_campaign(session, self.id)
            labeling.tell(
                session, campaign, labeler=LABELER, batch_id=None, labels=labels
            )

    def carry_out_what_is_due(self) -> Run:
        """Plan and work off the run that the labels call for, as a worker does."""
        with self.place.sessions.begin() as session:
            (planned,) = planning.plan_due(session, self.id)
        return _carry_out(self.place, planned.id)


def teach(place: Stage, teaching: Teaching) -> TaughtCampaign:
    """Make a pool and a campaign, tell its first labels, publish a full run.

    The network is trained for two epochs only: how good it is does not change how
    long its last layer takes.
    """
    folder = f"{POOLS_FOLDER}/{_POOL}"
    write_large_pool(place.artifacts / folder, teaching.objects)
    campaign_id = _open(place, folder, dim=teaching.dim)
    place.settle()
    untold = _labels(place, campaign_id, PoolArrays.open(place.artifacts / folder))
    taught = TaughtCampaign(place, campaign_id, untold, "")
    for _ in range(0, teaching.labels, _TOLD_AT_ONCE):
        taught.tell(min(_TOLD_AT_ONCE, teaching.labels))
    with place.sessions.begin() as session:
        campaign = find_campaign(session, campaign_id)
        planned = planning.plan(session, campaign, RunKind.FULL)
    run = _carry_out(place, planned)
    place.settle()
    return replace(taught, network_digest=str((run.metrics or {})["network"]))


def _open(place: Stage, folder: str, *, dim: int) -> int:
    """Register the pool in `folder` and open a campaign on it."""
    with place.sessions.begin() as session:
        import_pool(session, _POOL, artifacts=place.artifacts, folder=folder, seed=0)
    new = NewCampaign(
        name=CAMPAIGN,
        pool=_POOL,
        model=ModelConfig(dim=dim, epochs=2, min_steps=20).model_dump(mode="json"),
        retrain=RetrainPolicy(full=_NEVER, head=_AT_ONCE),
    )
    with place.sessions.begin() as session:
        return create_campaign(session, new).id


def _carry_out(place: Stage, run_id: int) -> Run:
    retraining.carry_out(
        run_id,
        sessions=place.sessions,
        artifacts=place.artifacts,
        worker="bench",
        settings=place.settings,
    )
    with place.sessions() as session:
        run = session.get_one(Run, run_id)
    if run.state is not RunState.PUBLISHED:
        raise ALServiceError(
            f"run {run.id}: expected it published, found {run.state}: {run.message}"
        )
    return run


def _labels(place: Stage, campaign_id: int, arrays: PoolArrays) -> Iterator[NewLabel]:
    """Labels of the random sample, one by one."""
    with place.sessions() as session:
        rows: Sequence[int] = session.scalars(
            select(SkyObject.row)
            .join(Candidate, Candidate.sky_object_id == SkyObject.id)
            .where(Candidate.campaign_id == campaign_id, Candidate.split == Split.POOL)
            .order_by(Candidate.random_key)
            .limit(_LABELS_AT_MOST)
        ).all()
    for row in rows:
        values = arrays.known_values[row].tolist()
        yield NewLabel(
            object_id=str(arrays.object_ids[row]),
            values=dict(zip(arrays.targets, values, strict=True)),
        )
