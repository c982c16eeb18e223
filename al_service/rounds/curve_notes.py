"""What has to be said of a learning curve: on how little it rests, what is missing."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from al_service.evaluation.gate import FEWEST_LABELS
from al_service.rounds.arms import FEWEST_OF_AN_ARM, read_arm_facts
from db.repositories import runs, training
from db.repositories.progress import StoredPoint
from db.tables import Campaign
from db.vocabulary import Arm, Reason, RunKind, TrainingRole


def notes_on(
    session: Session, campaign: Campaign, points: Sequence[StoredPoint]
) -> tuple[str, ...]:
    """Everything that a reader of the curve has to know.

    Args:
        session: reads in its transaction.
        campaign: whose curve.
        points: all of its points.
    """
    if not points:
        return ("no run has been evaluated yet",)
    notes = []
    n_evaluation = points[-1].n_evaluation
    if n_evaluation < FEWEST_LABELS:
        notes.append(
            f"only {n_evaluation} evaluation labels: below {FEWEST_LABELS} the curve"
            " is a hint, and no run is refused"
        )
    if not any(point.arm is Arm.RANDOM for point in points):
        notes.append(f"no control arms{_why_no_controls(session, campaign)}")
    return tuple(notes)


def _why_no_controls(session: Session, campaign: Campaign) -> str:
    strategy = str(campaign.strategy.get("name"))
    if strategy == Reason.RANDOM:
        return ": the strategy is random, its own control"
    first = training.first_published_full_run(session, campaign.id)
    last = runs.last_finished(session, campaign.id, RunKind.FULL)
    if first is None or last is None or last.id == first:
        return " yet: they begin with the second full run"
    known = training.objects_of_run(session, last.id, TrainingRole.NETWORK)
    facts = read_arm_facts(
        session,
        campaign.id,
        strategy=strategy,
        first_run=first,
        sky_object_ids=sorted(known),
    )
    drawn, asked = int(facts.drawn.sum()), int(facts.asked.sum())
    if min(drawn, asked) < FEWEST_OF_AN_ARM:
        return (
            f" yet: beside the {facts.n_initial} initial labels the last full run knew"
            f" {drawn} of the random sample and {asked} that {strategy} asked for;"
            f" {FEWEST_OF_AN_ARM} of each are needed (random share"
            f" {campaign.random_share:g})"
        )
    return (
        " yet: objects of the random sample wait for their labels, and only those"
        " before the first gap count"
    )
