from pathlib import Path

from db.vocabulary import Arm, RunKind
from tests.conftest import Database
from tests.rounds.observatory import build_observatory


def test_a_pool_without_known_labels_gets_its_sample_its_curve_and_its_gate(
    database: Database, tmp_path: Path
) -> None:
    sky = build_observatory(database.sessions, tmp_path, known_labels=False)
    campaign_id = sky.open_campaign(evaluation_size=60)
    sample = sky.observe(campaign_id, 60)
    few = [item.reason for item in sample.items].count("evaluation")
    assert few > 40, "batches fill the evaluation sample first"
    sky.observe(campaign_id, 100)

    first = sky.publish(campaign_id, RunKind.FULL)
    sky.observe(campaign_id, 40)
    second = sky.publish(campaign_id, RunKind.FULL)

    points = {(one.arm, one.metric): one for one in sky.points(second.id)}
    assert points[Arm.ACTIVE, "rmse_norm"].n_evaluation == 60
    assert first.metrics is not None
    assert second.metrics is not None
    assert first.metrics["n_evaluation"] == 60
    assert second.metrics["gate"]["ratio"] is not None, "the gate has judged"


def test_below_fifty_evaluation_labels_the_gate_lets_runs_pass(
    database: Database, tmp_path: Path
) -> None:
    sky = build_observatory(database.sessions, tmp_path, known_labels=False)
    campaign_id = sky.open_campaign(evaluation_size=30)
    sky.observe(campaign_id, 100)
    sky.publish(campaign_id, RunKind.FULL)
    sky.observe(campaign_id, 40)

    run = sky.publish(campaign_id, RunKind.FULL)

    assert run.metrics is not None
    assert "50 are needed" in run.metrics["gate"]["reason"]
    item = sky.ask(campaign_id, 1).items[0]
    assert item.prediction is not None


def test_a_campaign_that_nothing_examines_learns_nevertheless(
    database: Database, tmp_path: Path
) -> None:
    sky = build_observatory(database.sessions, tmp_path, known_labels=False)
    campaign_id = sky.open_campaign(evaluation_size=0)
    sky.observe(campaign_id, 60)

    run = sky.publish(campaign_id, RunKind.FULL)

    assert sky.points(run.id) == []
    item = sky.ask(campaign_id, 1).items[0]
    assert item.prediction is not None
    assert item.prediction["z"]["calibrated"] is False
