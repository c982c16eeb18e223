"""Small pools, campaigns and labels, made through the code that makes real ones."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from al_service.rounds.campaigns import NewCampaign, create_campaign
from al_service.rounds.claiming import Claim, claim, finish
from al_service.rounds.planning import freeze_training_set, plan
from db.repositories import campaigns, pools, rankings, runs
from db.repositories.labels import find_objects
from db.repositories.pools import NewObject
from db.tables import Campaign, Label, Pool, Run
from db.vocabulary import RunKind, RunState, Split, TrainingRole

STALE_AFTER = timedelta(seconds=30)


def object_name(number: int) -> str:
    return f"SDSS J{number:06d}"


def make_pool(
    session: Session,
    *,
    n_pool: int = 30,
    n_evaluation: int = 10,
    n_excluded: int = 0,
    known_targets: Sequence[str] = (),
    name: str = "sky",
) -> Pool:
    """A visible pool: first the objects that train, then those that examine."""
    splits = (
        [Split.POOL] * n_pool
        + [Split.EVALUATION] * n_evaluation
        + [Split.EXCLUDED] * n_excluded
    )
    pool_id = pools.start_import(
        session,
        name,
        seed=0,
        arrays=f"pools/{name}",
        modalities=["photometry"],
        known_targets=known_targets,
    )
    assert pool_id is not None
    pools.copy_objects(
        session,
        pool_id,
        [
            NewObject(
                object_id=object_name(row),
                group_id=f"galaxy {row}",
                ra=row * 360.0 / len(splits),
                dec=0.0,
                row=row,
                has_photometry=True,
                has_image=False,
                has_spectrum=False,
                split=split,
            )
            for row, split in enumerate(splits)
        ],
    )
    pools.publish(session, pool_id, manifest_digest="0" * 64, n_objects=len(splits))
    pool = pools.find_visible(session, name)
    assert pool is not None
    return pool


def make_campaign(session: Session, **given: object) -> Campaign:
    """A campaign on z alone, whose slots are never random unless `given` says so."""
    settings: dict[str, object] = {
        "name": "survey",
        "pool": "sky",
        "targets": ("z",),
        "random_share": 0.0,
        "evaluation_size": 0,
    }
    return create_campaign(session, NewCampaign.model_validate(settings | given))


def rank_all(session: Session, campaign: Campaign, *, numbers: Sequence[int]) -> int:
    """Serve a run that ranks objects in the given order, reason `lcmd`; its id."""
    ids = ids_of(session, campaign, [object_name(number) for number in numbers])
    run = Run(
        campaign_id=campaign.id,
        kind=RunKind.SCORE,
        state=RunState.PUBLISHED,
        n_labels=0,
        label_digest="",
        config_digest="",
        seed=0,
        finished_at=func.now(),
    )
    session.add(run)
    session.flush()
    rankings.store_ranking(
        session,
        run.id,
        sky_object_ids=ids,
        scores=[1.0 / (1 + place) for place in range(len(ids))],
        reason="lcmd",
    )
    campaigns.serve(session, campaign.id, run.id)
    return run.id


def ids_of(
    session: Session, campaign: Campaign, object_ids: Sequence[str]
) -> list[int]:
    found = find_objects(session, campaign.id, campaign.pool_id, object_ids)
    return [found[object_id].sky_object_id for object_id in object_ids]


def id_of(session: Session, campaign: Campaign, object_id: str) -> int:
    return ids_of(session, campaign, [object_id])[0]


def write_label(
    session: Session,
    campaign: Campaign,
    object_id: str,
    *,
    z: float = 0.1,
    quality: int = 4,
    labeler: str = "pipeline",
    supersedes_id: int | None = None,
) -> int:
    """A label written by plain SQL, as another program would write it."""
    return int(
        session.execute(
            text(
                """
                INSERT INTO label (campaign_id, sky_object_id, values, quality,
                    labeler, supersedes_id)
                VALUES (:campaign_id, :sky_object_id,
                    jsonb_build_object('z', cast(:z AS float8)), :quality, :labeler,
                    :supersedes_id)
                RETURNING id
                """
            ),
            {
                "campaign_id": campaign.id,
                "sky_object_id": id_of(session, campaign, object_id),
                "z": z,
                "quality": quality,
                "labeler": labeler,
                "supersedes_id": supersedes_id,
            },
        ).scalar_one()
    )


def label_many(session: Session, campaign: Campaign, numbers: Sequence[int]) -> None:
    """Labels of z = 0.1 on many objects, by one plain INSERT."""
    session.execute(
        text(
            """
            INSERT INTO label (campaign_id, sky_object_id, values, labeler)
            SELECT :campaign_id, id, '{"z": 0.1}', 'pipeline'
            FROM unnest(CAST(:ids AS bigint[])) AS id ORDER BY id
            """
        ),
        {
            "campaign_id": campaign.id,
            "ids": ids_of(session, campaign, [object_name(n) for n in numbers]),
        },
    )


def age_labels(session: Session, seconds: float) -> None:
    """Labels told so long ago; the trigger that keeps them is off meanwhile."""
    session.execute(text("ALTER TABLE label DISABLE TRIGGER keep_labels"))
    session.execute(
        update(Label).values(created_at=Label.created_at - timedelta(seconds=seconds))
    )
    session.execute(text("ALTER TABLE label ENABLE TRIGGER keep_labels"))


def claimed(session: Session, run_id: int, worker: str = "worker") -> Claim:
    got = claim(session, run_id, worker=worker, stale_after=STALE_AFTER)
    assert got is not None
    return got


def publish_run(session: Session, campaign: Campaign, run_id: int) -> Run:
    """Carry a planned run out without learning anything, and let it serve."""
    held = claimed(session, run_id)
    run = session.get_one(Run, run_id)
    head_digest = None
    if held.kind is RunKind.FULL:
        head_digest = freeze_training_set(session, run, TrainingRole.HEAD)
    assert finish(session, held, RunState.PUBLISHED, head_digest=head_digest)
    campaigns.serve(session, campaign.id, run_id)
    found = runs.by_id(session, run_id)
    assert found is not None
    return found


def serve_full_run(session: Session, campaign: Campaign) -> Run:
    return publish_run(session, campaign, plan(session, campaign, RunKind.FULL))
