from pathlib import Path

import pytest

from db.tables import Label
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
