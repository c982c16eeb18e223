"""Whole turns of the loop through real worker processes, and what may befall them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import select, text, update

from al_service.local.processes import wait_until
from al_service.rounds import claiming
from al_service.rounds.doorbell import SCORE_QUEUE, TRAIN_QUEUE
from db.session import create_database_engine, create_sessions
from db.tables import Campaign, Candidate, Label, Run, SkyObject
from db.vocabulary import CandidateState, RunKind, RunState
from tests.conftest import PostgresForTests
from tests.loop.stack import WorkerStack
from tests.rounds.observatory import (
    ENDLESS_MODEL,
    SMALL_MODEL,
    Observatory,
    build_observatory,
    redshifts_of,
)

PATIENCE_SECONDS = 180.0
"""Until something must have happened that takes some seconds on an idle machine."""

STOP_SECONDS = 15.0
"""Training ends within 10 s of SIGTERM; the process needs a moment to leave."""

SLOW_MODEL = {**SMALL_MODEL, "min_steps": 1000}
"""Trains for some seconds: long enough to be killed in the middle."""

DATABASE = "loop"


@pytest.fixture(scope="module")
def database_url(postgres: PostgresForTests) -> Iterator[str]:
    postgres.copy(DATABASE)
    yield postgres.url_of(DATABASE)
    postgres.drop(DATABASE)


@pytest.fixture(scope="module")
def stack(database_url: str) -> Iterator[WorkerStack]:
    with TemporaryDirectory(prefix="al-loop-") as folder:
        stack = WorkerStack(Path(folder), database_url=database_url)
        for role in ("train", "score", "schedule"):
            stack.start(role)
        yield stack
        stack.close()


@pytest.fixture(scope="module")
def sky(database_url: str, stack: WorkerStack) -> Iterator[Observatory]:
    engine = create_database_engine(database_url)
    yield build_observatory(create_sessions(engine), stack.artifacts)
    engine.dispose()


def eventually(condition: Callable[[], bool], stack: WorkerStack) -> None:
    """Wait for what must happen; if it does not, show what the workers said."""
    if not wait_until(condition, seconds=PATIENCE_SECONDS):
        logs = [f"--- {role}\n{stack.log(role)[-4000:]}" for role in ("train", "score")]
        pytest.fail("\n".join(["it never happened", *logs]))


def serves(sky: Observatory, campaign_id: int, kind: RunKind) -> Callable[[], bool]:
    def served() -> bool:
        run_id = sky.served(campaign_id)
        return run_id is not None and sky.run(run_id).kind is kind

    return served


def knows(sky: Observatory, campaign_id: int, n_labels: int) -> Callable[[], bool]:
    """Whether the ranking that serves knows so many labels."""

    def informed() -> bool:
        run_id = sky.served(campaign_id)
        facts = None if run_id is None else sky.run(run_id).metrics
        return facts is not None and facts.get("n_labels") == n_labels

    return informed


def full_run_in_training(sky: Observatory, stack: WorkerStack, campaign_id: int) -> int:
    """The full run of a campaign, some steps into its training."""

    def trains() -> bool:
        run = sky.live_run(campaign_id, RunKind.FULL)
        return run is not None and run.state is RunState.RUNNING and run.progress > 0

    eventually(trains, stack)
    run = sky.live_run(campaign_id, RunKind.FULL)
    assert run is not None
    return run.id


def test_a_campaign_turns_from_cold_start_to_network_to_refitted_ranking(
    sky: Observatory, stack: WorkerStack
) -> None:
    campaign_id = sky.open_campaign("whole-turn")
    cold_start = sky.live_run(campaign_id, RunKind.SCORE)
    assert cold_start is not None
    stack.doorbell.run(cold_start.id, cold_start.kind)
    eventually(serves(sky, campaign_id, RunKind.SCORE), stack)

    sky.observe(campaign_id, 60)
    stack.doorbell.plan(campaign_id)
    eventually(serves(sky, campaign_id, RunKind.FULL), stack)
    batch = sky.observe(campaign_id, 10)
    stack.doorbell.plan(campaign_id)
    eventually(knows(sky, campaign_id, 70), stack)

    assert "lcmd" in {item.reason for item in batch.items}
    assert sky.count_published(campaign_id, RunKind.HEAD) >= 1


def test_a_run_whose_worker_was_killed_is_taken_up_again_and_published_once(
    sky: Observatory, stack: WorkerStack
) -> None:
    campaign_id = sky.open_campaign("killed", model=SLOW_MODEL)
    sky.observe(campaign_id, 60)
    run_id = full_run_in_training(sky, stack, campaign_id)

    stack.kill("train")
    stack.start("train")
    eventually(lambda: sky.run(run_id).state is RunState.PUBLISHED, stack)

    run = sky.run(run_id)
    assert (run.attempts, run.fence) == (2, 2)
    assert sky.count_published(campaign_id, RunKind.FULL) == 1
    metrics = [(point.arm, point.metric) for point in sky.points(run_id)]
    assert len(metrics) == len(set(metrics)) > 0


def test_a_broker_that_loses_everything_loses_nothing_of_the_campaign(
    sky: Observatory, stack: WorkerStack
) -> None:
    campaign_id = sky.open_campaign("flushed")
    sky.observe(campaign_id, 60)
    eventually(serves(sky, campaign_id, RunKind.FULL), stack)

    stack.flush_broker()
    stack.stop_broker()
    sky.observe(campaign_id, 10)
    stack.doorbell.plan(campaign_id)  # rings at a broker that is not there
    stack.restart_broker()

    eventually(knows(sky, campaign_id, 70), stack)
    sky.observe(campaign_id, 50)
    eventually(lambda: sky.count_judged(campaign_id, RunKind.FULL) == 2, stack)
    eventually(knows(sky, campaign_id, 120), stack)


def test_a_message_delivered_twice_to_two_workers_publishes_once(
    sky: Observatory, stack: WorkerStack
) -> None:
    campaign_id = sky.open_campaign("twice", model=SLOW_MODEL)
    sky.observe(campaign_id, 60)
    run_id = full_run_in_training(sky, stack, campaign_id)

    stack.deliver(run_id, queue=SCORE_QUEUE)
    stack.deliver(run_id, queue=TRAIN_QUEUE)
    eventually(lambda: sky.run(run_id).state is RunState.PUBLISHED, stack)

    assert (sky.run(run_id).attempts, sky.run(run_id).fence) == (1, 1)
    assert sky.count_published(campaign_id, RunKind.FULL) == 1


def test_a_label_written_by_plain_sql_retires_its_object_and_leads_to_a_retrain(
    sky: Observatory, stack: WorkerStack
) -> None:
    campaign_id = sky.open_campaign("plain-sql")
    sky.observe(campaign_id, 60)
    eventually(knows(sky, campaign_id, 60), stack)
    best = sky.ranking(campaign_id)[0][0]

    with sky.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO label (campaign_id, sky_object_id, values, labeler)"
                " SELECT :campaign, id, jsonb_build_object('z', cast(:z AS float8)),"
                " 'somebody''s script' FROM sky_object WHERE object_id = :name"
            ),
            {"campaign": campaign_id, "z": redshifts_of([best])[best], "name": best},
        )

    with sky.sessions.begin() as session:
        state = session.scalar(
            select(Candidate.state)
            .join(SkyObject, SkyObject.id == Candidate.sky_object_id)
            .where(Candidate.campaign_id == campaign_id, SkyObject.object_id == best)
        )
    assert state is CandidateState.LABELED
    eventually(knows(sky, campaign_id, 61), stack)
    assert best not in {name for name, _, _ in sky.ranking(campaign_id)}


def test_a_corrected_label_changes_the_digest_and_leads_to_a_new_run(
    sky: Observatory, stack: WorkerStack
) -> None:
    campaign_id = sky.open_campaign("corrected")
    sky.observe(campaign_id, 60)
    eventually(knows(sky, campaign_id, 60), stack)
    before = sky.served(campaign_id)
    assert before is not None

    with sky.sessions.begin() as session:
        label = session.scalars(
            select(Label).where(Label.campaign_id == campaign_id).limit(1)
        ).one()
        session.add(
            Label(
                campaign_id=campaign_id,
                sky_object_id=label.sky_object_id,
                split=label.split,
                values={"z": float(label.values["z"]) + 0.001},
                labeler=label.labeler,
                supersedes_id=label.id,
            )
        )

    def another_run_is_over() -> bool:
        with sky.sessions.begin() as session:
            newer = session.scalars(
                select(Run).where(
                    Run.campaign_id == campaign_id,
                    Run.id > before,
                    Run.finished_at.is_not(None),
                )
            ).all()
        return any(run.head_digest != sky.run(before).head_digest for run in newer)

    eventually(another_run_is_over, stack)


def test_sigterm_ends_training_in_time_and_another_worker_goes_on(
    sky: Observatory, stack: WorkerStack
) -> None:
    campaign_id = sky.open_campaign("sigterm", model=ENDLESS_MODEL)
    sky.observe(campaign_id, 60)
    run_id = full_run_in_training(sky, stack, campaign_id)

    leaving = stack.ask_to_end("train")
    leaving.wait(STOP_SECONDS)

    assert sky.run(run_id).state is RunState.PLANNED
    assert sky.run(run_id).attempts == 0
    with sky.sessions.begin() as session:
        session.execute(
            update(Campaign).where(Campaign.id == campaign_id).values(model=SMALL_MODEL)
        )
    stack.start("train")

    eventually(lambda: sky.run(run_id).state is RunState.PUBLISHED, stack)


def test_a_run_whose_worker_always_dies_is_given_up_and_says_so(
    sky: Observatory, stack: WorkerStack
) -> None:
    campaign_id = sky.open_campaign("doomed", model=ENDLESS_MODEL)
    sky.observe(campaign_id, 60)
    run_id = full_run_in_training(sky, stack, campaign_id)
    with sky.sessions.begin() as session:
        session.execute(
            update(Run).where(Run.id == run_id).values(attempts=claiming.MAX_ATTEMPTS)
        )

    stack.kill("train")
    stack.start("train")

    eventually(lambda: sky.run(run_id).state is RunState.FAILED, stack)
    assert "lost" in str(sky.run(run_id).message)
