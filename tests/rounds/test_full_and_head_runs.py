from pathlib import Path

import pytest
from sqlalchemy import text

from db.tables import Label
from db.vocabulary import Arm, CandidateState, RunKind, RunState, TrainingRole
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory, start_full_run


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def test_a_full_run_serves_a_ranking_predictions_and_a_curve(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky)

    run = sky.carry_out(run_id)

    assert run.state is RunState.PUBLISHED
    assert sky.served(campaign_id) == run_id
    ranking = sky.ranking(campaign_id)
    assert {reason for _, _, reason in ranking} == {"lcmd"}
    assert len(ranking) == len(sky.object_ids("pool")) - 60
    item = sky.ask(campaign_id, 5).items[0]
    assert item.prediction is not None
    said = item.prediction["z"]
    low, high = said["interval90"]
    assert set(said) == {
        "mean",
        "epistemic",
        "aleatoric",
        "interval90",
        "calibrated",
    }
    assert low < said["mean"] < high
    assert said["calibrated"] is True
    points = {(point.arm, point.metric): point for point in sky.points(run_id)}
    rmse = points[Arm.ACTIVE, "rmse_norm"]
    assert rmse.n_labels == 60
    assert rmse.n_evaluation == len(sky.object_ids("evaluation"))
    assert rmse.low is not None
    assert rmse.high is not None
    assert rmse.low < rmse.value < rmse.high
    coverage = points[Arm.ACTIVE, "coverage68"]
    assert coverage.n_evaluation < rmse.n_evaluation, "calibrating labels report none"


def test_the_same_seed_gives_the_same_ranking_bit_for_bit(sky: Observatory) -> None:
    first, first_run = start_full_run(sky, name="first", seed=7)
    second = sky.open_campaign("second", seed=7)
    with sky.sessions.begin() as session:
        names = session.scalars(
            text(
                "SELECT object_id FROM label JOIN sky_object ON sky_object.id ="
                " label.sky_object_id WHERE campaign_id = :c ORDER BY label.id"
            ),
            {"c": first},
        ).all()
    sky.tell_objects(second, list(reversed(names)))
    second_run = sky.plan(second, RunKind.FULL)

    sky.carry_out(first_run)
    sky.carry_out(second_run)

    assert sky.ranking(first) == sky.ranking(second)
    assert sky.run(first_run).checkpoint_digest == sky.run(second_run).checkpoint_digest


def test_a_head_run_knows_a_label_that_came_after_the_full_run(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky)
    sky.carry_out(run_id)
    before = sky.ranking(campaign_id)
    sky.observe(campaign_id, 10)

    head = sky.publish(campaign_id, RunKind.HEAD)

    assert sky.served(campaign_id) == head.id
    assert head.base_run_id == run_id
    assert head.metrics is not None
    assert head.metrics["n_labels"] == 70
    assert sky.ranking(campaign_id) != before
    assert all(
        prediction.run_id == head.id
        for prediction in sky.predictions(campaign_id).values()
    )


def test_a_full_run_ends_with_the_labels_of_that_moment(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky)
    sky.observe(campaign_id, 10)

    run = sky.carry_out(run_id)

    assert run.n_labels == 60, "the network saw the frozen set"
    assert run.metrics is not None
    assert run.metrics["n_labels"] == 70, "the last layer knows those of now"
    assert run.head_digest != run.label_digest


def test_objects_that_somebody_is_looking_at_are_not_ranked(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky)
    pending = {item.object_id for item in sky.ask(campaign_id, 12).items}

    sky.carry_out(run_id)

    assert pending.isdisjoint(name for name, _, _ in sky.ranking(campaign_id))


def test_objects_that_somebody_is_looking_at_have_predictions(
    sky: Observatory,
) -> None:
    """When their lease expires they are handed out again, with what the model says."""
    campaign_id, run_id = start_full_run(sky)
    pending = {item.object_id for item in sky.ask(campaign_id, 12).items}

    sky.carry_out(run_id)

    assert pending <= sky.predictions(campaign_id).keys()


def test_a_refused_head_run_changes_no_prediction_but_its_objects_leave(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky)
    sky.carry_out(run_id)
    sky.observe(campaign_id, 60)
    served = {
        name: (prediction.run_id, prediction.targets)
        for name, prediction in sky.predictions(campaign_id).items()
    }
    ranking = sky.ranking(campaign_id)
    # Sixty wrong corrections make the last layer clearly worse.
    with sky.sessions.begin() as session:
        known = session.query(Label).filter_by(campaign_id=campaign_id).all()
        for label in known:
            session.add(
                Label(
                    campaign_id=campaign_id,
                    sky_object_id=label.sky_object_id,
                    split=label.split,
                    values={"z": 3.0},
                    labeler=label.labeler,
                    supersedes_id=label.id,
                )
            )

    head = sky.carry_out(sky.plan(campaign_id, RunKind.HEAD))

    assert head.state is RunState.REFUSED
    assert str(head.message).startswith("refused")
    assert sky.served(campaign_id) == run_id
    assert {
        name: (prediction.run_id, prediction.targets)
        for name, prediction in sky.predictions(campaign_id).items()
    } == served
    assert sky.ranking(campaign_id) == ranking, "labeled objects left when told"
    with sky.sessions.begin() as session:
        labeled = session.scalar(
            text("SELECT count(*) FROM candidate WHERE state = :state"),
            {"state": CandidateState.LABELED.value},
        )
    assert labeled == 120


def test_a_head_run_planned_on_an_older_network_refits_the_one_that_serves(
    sky: Observatory,
) -> None:
    campaign_id, first = start_full_run(sky)
    sky.carry_out(first)
    sky.observe(campaign_id, 30)
    head_id = sky.plan(campaign_id, RunKind.HEAD)
    second = sky.publish(campaign_id, RunKind.FULL)

    head = sky.carry_out(head_id)

    assert head.state is RunState.PUBLISHED
    assert head.base_run_id == second.id
    assert head.label_digest == second.label_digest


def test_a_corrected_label_changes_the_digest_and_the_predictions(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky)
    first = sky.carry_out(run_id)
    with sky.sessions.begin() as session:
        label = session.query(Label).order_by(Label.id).first()
        assert label is not None
        session.add(
            Label(
                campaign_id=campaign_id,
                sky_object_id=label.sky_object_id,
                split=label.split,
                values={"z": float(label.values["z"]) + 0.01},
                labeler=label.labeler,
                supersedes_id=label.id,
            )
        )

    head = sky.publish(campaign_id, RunKind.HEAD)
    full = sky.carry_out(sky.plan(campaign_id, RunKind.FULL))

    assert head.head_digest != first.head_digest
    assert full.label_digest != first.label_digest
    assert full.n_labels == first.n_labels == 60


def test_an_evaluation_object_is_never_trained_on(sky: Observatory) -> None:
    _, run_id = start_full_run(sky)
    sky.carry_out(run_id)

    with sky.sessions.begin() as session:
        strangers = session.scalar(
            text(
                "SELECT count(*) FROM training_label t JOIN sky_object o"
                " ON o.id = t.sky_object_id WHERE o.split <> 'pool'"
            )
        )
        roles = session.scalars(text("SELECT DISTINCT role FROM training_label")).all()
    assert strangers == 0
    assert set(roles) == {role.value for role in TrainingRole}


def test_a_run_publishes_also_when_there_is_nothing_left_to_rank(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky)
    with sky.sessions.begin() as session:
        labeled = session.scalars(
            text(
                "SELECT object_id FROM candidate JOIN sky_object ON sky_object.id ="
                " sky_object_id WHERE candidate.state = 'labeled'"
            )
        ).all()
    rest = set(sky.object_ids("pool")) - set(labeled)
    sky.tell_objects(campaign_id, sorted(rest))

    run = sky.carry_out(run_id)

    assert run.state is RunState.PUBLISHED
    assert sky.ranking(campaign_id) == []
    assert sky.predictions(campaign_id) == {}
    assert sky.ask(campaign_id, 3).exhausted
