from pathlib import Path

import pytest

from al_service.rounds.comparing import Saving, savings
from al_service.rounds.progress import learning_curve
from db.tables import Campaign, Label
from db.vocabulary import Arm, RunKind, RunState
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory, start_full_run


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def test_the_control_compares_arms_of_equal_numbers(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky, random_share=0.5)
    sky.carry_out(run_id)
    sky.observe(campaign_id, 60)

    run = sky.publish(campaign_id, RunKind.FULL)

    numbers = {
        point.arm: point.n_labels
        for point in sky.points(run.id)
        if point.metric == "rmse_norm"
    }
    assert numbers[Arm.ACTIVE] == 120
    assert numbers[Arm.RANDOM] == numbers[Arm.ACTIVE_MATCHED]
    assert 70 <= numbers[Arm.RANDOM] < 120
    check_coverage(sky, campaign_id)
    saving = saving_on_z(sky, campaign_id)
    assert saving.n_labels == numbers[Arm.RANDOM]
    assert saving.intervals is not None
    low, high = saving.intervals.error_ratio
    assert low is not None
    assert high is not None
    assert low < saving.error_ratio < high
    # An end that is not reached is open, and then nothing is said of labels saved.
    shortest, longest = saving.intervals.label_ratio
    assert saving.intervals.labels_saved == pytest.approx(
        tuple(
            None if end is None else (1 - end) * saving.n_labels
            for end in (longest, shortest)
        )
    )


def check_coverage(sky: Observatory, campaign_id: int) -> None:
    """Half of the hundred objects that examine report, in ranges of twenty or more."""
    with sky.sessions.begin() as session:
        curve = learning_curve(session, session.get_one(Campaign, campaign_id))
    for by in ("predicted_redshift", "magnitude_r"):
        bins = [one for one in curve.coverage if one["by"] == by]
        assert len(bins) >= 2
        assert all(one["n"] >= 20 for one in bins)
        lows = [one["low"] for one in bins]
        assert lows == sorted(lows)
        for one in bins:
            share = one["coverage95"]
            assert share["low"] <= share["value"] <= share["high"]


def saving_on_z(sky: Observatory, campaign_id: int) -> Saving:
    with sky.sessions.begin() as session:
        curve = learning_curve(session, session.get_one(Campaign, campaign_id))
    saving = savings(curve.points, curve.intervals)["z"]
    assert saving is not None
    return saving


def test_a_refused_run_keeps_the_points_of_its_control_arms(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky, random_share=0.5)
    sky.carry_out(run_id)
    sky.observe(campaign_id, 60)
    # Wrong corrections make the new network clearly worse than the one that serves.
    with sky.sessions.begin() as session:
        for label in session.query(Label).filter_by(campaign_id=campaign_id).all():
            session.add(
                Label(
                    campaign_id=campaign_id,
                    sky_object_id=label.sky_object_id,
                    split=label.split,
                    values={"z": 3.0 + 0.01 * (label.id % 7)},
                    labeler=label.labeler,
                    supersedes_id=label.id,
                )
            )

    run = sky.carry_out(sky.plan(campaign_id, RunKind.FULL))

    assert run.state is RunState.REFUSED
    arms = {point.arm for point in sky.points(run.id)}
    assert arms == {Arm.RANDOM, Arm.ACTIVE_MATCHED}
