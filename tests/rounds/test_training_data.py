import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from al_service.rounds import planning
from al_service.rounds.training_data import (
    EvaluationSet,
    LabeledObjects,
    evaluation_set,
    labels_of_run,
)
from db.tables import Campaign, Label, Run, SkyObject
from db.vocabulary import RunKind, Split, TrainingRole
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory, redshifts_of

TARGETS = ("z", "sfr_median")


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path, known_labels=False)


def first_object(session: Session, split: Split) -> SkyObject:
    return session.query(SkyObject).filter_by(split=split).order_by("row").first()  # type: ignore[return-value] # the pool has some


def add_label(
    session: Session,
    campaign_id: int,
    one: SkyObject,
    *,
    values: dict[str, float],
    errors: dict[str, float] | None = None,
    labeler: str = "somebody",
    quality: int = 4,
) -> Label:
    label = Label(
        campaign_id=campaign_id,
        sky_object_id=one.id,
        split=one.split,
        values=values,
        errors=errors or {},
        labeler=labeler,
        quality=quality,
    )
    session.add(label)
    session.flush()
    return label


def frozen(sky: Observatory, campaign_id: int) -> LabeledObjects:
    """What a full run that is planned now would learn from."""
    with sky.sessions.begin() as session:
        campaign = session.get_one(Campaign, campaign_id)
        run = session.get_one(Run, planning.plan(session, campaign, RunKind.SCORE))
        planning.freeze_training_set(session, run, TrainingRole.NETWORK)
        return labels_of_run(session, run.id, TrainingRole.NETWORK, targets=TARGETS)


def examiners(sky: Observatory, campaign_id: int) -> EvaluationSet:
    with sky.sessions.begin() as session:
        campaign = session.get_one(Campaign, campaign_id)
        return evaluation_set(session, campaign, sky.arrays)


def open_campaign(sky: Observatory, **given: Any) -> int:  # Any: fields
    """One that has no live run of kind `score`, so that a test can plan its own."""
    campaign_id = sky.open_campaign(targets=TARGETS, **given)
    with sky.sessions.begin() as session:
        session.execute(text("DELETE FROM run"))
    return campaign_id


def test_opinions_with_errors_are_weighted_by_their_inverse_variances(
    sky: Observatory,
) -> None:
    campaign_id = open_campaign(sky, overlap=2)
    with sky.sessions.begin() as session:
        one = first_object(session, Split.POOL)
        for labeler, z, error in (("a", 0.10, 0.01), ("b", 0.13, 0.02)):
            add_label(
                session,
                campaign_id,
                one,
                values={"z": z},
                errors={"z": error},
                labeler=labeler,
            )

    labels = frozen(sky, campaign_id)

    assert labels.rows.tolist() == [one.row]
    weights = np.array([1e4, 2500.0])
    expected = (weights @ [0.10, 0.13]) / weights.sum()
    assert labels.values[0, 0] == pytest.approx(expected)
    assert labels.errors[0, 0] == pytest.approx(weights.sum() ** -0.5)
    assert math.isnan(labels.values[0, 1]), "nobody measured the second target"


def test_opinions_without_errors_agree_on_their_median(sky: Observatory) -> None:
    campaign_id = open_campaign(sky, overlap=3)
    with sky.sessions.begin() as session:
        one = first_object(session, Split.POOL)
        for labeler, z in (("a", 0.10), ("b", 0.11), ("c", 0.9)):
            errors = {"z": 0.01} if labeler == "a" else {}
            add_label(
                session,
                campaign_id,
                one,
                values={"z": z},
                errors=errors,
                labeler=labeler,
            )

    labels = frozen(sky, campaign_id)

    assert labels.values[0, 0] == 0.11
    assert math.isnan(labels.errors[0, 0])


def test_only_confident_and_current_labels_train(sky: Observatory) -> None:
    campaign_id = open_campaign(sky)
    with sky.sessions.begin() as session:
        some = session.query(SkyObject).filter_by(split=Split.POOL).limit(3).all()
        add_label(session, campaign_id, some[0], values={"z": 0.1}, quality=2)
        wrong = add_label(session, campaign_id, some[1], values={"z": 0.2})
        session.add(
            Label(
                campaign_id=campaign_id,
                sky_object_id=some[1].id,
                split=some[1].split,
                values={"z": 0.3},
                labeler="somebody",
                supersedes_id=wrong.id,
            )
        )
        add_label(session, campaign_id, some[2], values={}, quality=0)

    labels = frozen(sky, campaign_id)

    assert labels.sky_object_ids.tolist() == [some[1].id]
    assert labels.values[0, 0] == 0.3


def test_an_evaluation_object_cannot_be_frozen_into_a_training_set(
    sky: Observatory,
) -> None:
    campaign_id = open_campaign(sky)
    with sky.sessions.begin() as session:
        examined = examiners(sky, campaign_id).sky_object_ids[0]
        one = session.get_one(SkyObject, int(examined))
        label = add_label(session, campaign_id, one, values={"z": 0.1})
        campaign = session.get_one(Campaign, campaign_id)
        run_id = planning.plan(session, campaign, RunKind.SCORE)
    statement = text(
        "INSERT INTO training_label (run_id, role, label_id, sky_object_id, split)"
        " VALUES (:run, 'network', :label, :one, :split)"
    )
    facts = {"run": run_id, "label": label.id, "one": one.id}

    for split in ("evaluation", "pool"):  # neither honestly nor by a lie
        with (
            pytest.raises(IntegrityError),
            sky.sessions.begin() as session,
        ):
            session.execute(statement, {**facts, "split": split})
    assert len(frozen_after(sky, run_id)) == 0


def frozen_after(sky: Observatory, run_id: int) -> LabeledObjects:
    with sky.sessions.begin() as session:
        run = session.get_one(Run, run_id)
        planning.freeze_training_set(session, run, TrainingRole.NETWORK)
        return labels_of_run(session, run_id, TrainingRole.NETWORK, targets=TARGETS)


def test_without_known_labels_the_sample_examines_once_it_is_labeled(
    sky: Observatory,
) -> None:
    campaign_id = open_campaign(sky, evaluation_size=30)
    before = examiners(sky, campaign_id)
    assert (len(before), before.labeled.sum(), before.asked_for) == (30, 0, True)

    names = before.object_ids[:12].tolist()
    sky.tell_objects(campaign_id, names)

    after = examiners(sky, campaign_id)
    assert after.object_ids[after.labeled].tolist() == sorted(
        names, key=after.object_ids.tolist().index
    )
    known = redshifts_of(names)
    for name, value in zip(after.object_ids, after.values[:, 0], strict=True):
        assert math.isnan(value) or value == known[str(name)]


def test_known_labels_of_the_pool_examine_and_are_asked_for_by_nobody(
    database: Database, tmp_path: Path
) -> None:
    sky = build_observatory(database.sessions, tmp_path)
    campaign_id = sky.open_campaign()

    found = examiners(sky, campaign_id)

    assert found.object_ids.tolist() == sky.object_ids("evaluation")
    assert found.labeled.all()
    assert not found.asked_for
    assert 0 < found.calibrates.sum() < len(found), "two halves"


def test_what_was_told_fills_the_targets_that_the_pool_does_not_know(
    database: Database, tmp_path: Path
) -> None:
    """Of two targets with one known, the other one was never examined."""
    sky = build_observatory(database.sessions, tmp_path)
    campaign_id = open_campaign(sky, evaluation_size=30)
    before = examiners(sky, campaign_id)
    assert (len(before), before.asked_for) == (30, True)
    assert np.isfinite(before.values[:, 0]).all()
    assert np.isnan(before.values[:, 1]).all()
    with sky.sessions.begin() as session:
        one = session.get_one(SkyObject, int(before.sky_object_ids[3]))
        add_label(session, campaign_id, one, values={"z": 9.0, TARGETS[1]: -1.5})

    after = examiners(sky, campaign_id)

    assert after.values[3].tolist() == [before.values[3, 0], -1.5]
    assert np.flatnonzero(np.isfinite(after.values[:, 1])).tolist() == [3]


def test_two_spectra_of_one_galaxy_calibrate_together() -> None:
    """Halved by object, a galaxy set the width of the interval that it then checked."""
    galaxies = np.repeat([f"galaxy {number}" for number in range(50)], 2)
    found = EvaluationSet(
        np.arange(100),
        np.arange(100),
        np.array([f"spectrum {number}" for number in range(100)]),
        galaxies,
        np.full((100, 1), 0.1),
        asked_for=True,
    )
    assert found.calibrates[::2].tolist() == found.calibrates[1::2].tolist()
    assert 0 < found.calibrates.sum() < 100, "two halves"
