import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from al_service.rounds import planning
from db.tables import (
    Campaign,
    Candidate,
    Label,
    RankedObject,
    Run,
    SkyObject,
    TrainingLabel,
)
from db.vocabulary import CandidateState, RunKind, Split, TrainingRole
from tests.db.factories import (
    id_of,
    label_many,
    make_campaign,
    make_pool,
    object_name,
    write_label,
)


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session, n_pool=25, n_evaluation=4)
    return make_campaign(session, evaluation_size=4)


@pytest.mark.usefixtures("campaign")
def test_choices_are_stored_as_their_values(session: Session) -> None:
    states = session.scalars(text("SELECT DISTINCT state FROM candidate")).all()
    assert states == ["free"]
    kinds = session.execute(text("SELECT kind, state FROM run")).all()
    assert [tuple(row) for row in kinds] == [("score", "planned")]


@pytest.mark.usefixtures("campaign")
def test_a_choice_that_does_not_exist_cannot_be_stored(session: Session) -> None:
    with pytest.raises(IntegrityError, match="candidatestate"):
        session.execute(text("UPDATE candidate SET state = 'gone'"))


@pytest.mark.usefixtures("campaign")
def test_an_evaluation_object_cannot_be_ranked(session: Session) -> None:
    with pytest.raises(IntegrityError, match="only_the_pool_is_ranked"):
        place(session, Split.EVALUATION, Split.EVALUATION)


@pytest.mark.usefixtures("campaign")
def test_an_evaluation_object_cannot_be_ranked_under_a_false_flag(
    session: Session,
) -> None:
    with pytest.raises(IntegrityError, match="fk_ranked_object_sky_object_id_split"):
        place(session, Split.EVALUATION, Split.POOL)


@pytest.mark.usefixtures("campaign")
def test_an_evaluation_object_cannot_be_passed_off_as_one_of_the_pool(
    session: Session,
) -> None:
    with pytest.raises(IntegrityError, match="fk_candidate_sky_object_id_split"):
        session.execute(
            update(Candidate)
            .where(Candidate.split == Split.EVALUATION)
            .values(split=Split.POOL)
        )


@pytest.mark.parametrize("split", [Split.EVALUATION, Split.POOL])
@pytest.mark.parametrize("disguised", [False, True])
def test_an_evaluation_object_cannot_be_trained_on(
    session: Session, campaign: Campaign, split: Split, *, disguised: bool
) -> None:
    """Under neither split, nor under the name of an object of the pool."""
    label_many(session, campaign, range(20))
    run_id = planning.plan(session, campaign, RunKind.FULL)
    label_id = write_label(session, campaign, object_name(26))
    shown = object_name(1) if disguised else object_name(26)
    session.add(
        TrainingLabel(
            run_id=run_id,
            role=TrainingRole.NETWORK,
            label_id=label_id,
            sky_object_id=id_of(session, campaign, shown),
            split=split,
        )
    )
    with pytest.raises(IntegrityError, match=r"only_the_pool_trains|fk_training_label"):
        session.flush()


def test_evaluation_labels_are_not_frozen_into_a_training_set(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    write_label(session, campaign, object_name(26))
    run_id = planning.plan(session, campaign, RunKind.FULL)
    assert session.get_one(Run, run_id).n_labels == 20
    frozen = session.scalars(
        select(Label.split).join(TrainingLabel, TrainingLabel.label_id == Label.id)
    ).all()
    assert set(frozen) == {Split.POOL}


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": CandidateState.LEASED, "labeler": "ann"}, "leased_by_a_lease"),
        ({"state": CandidateState.LABELED}, "free_until_somebody_has_it"),
        ({"labeler": "ann"}, "free_until_somebody_has_it"),
        ({"slot": -1}, "slot_not_negative"),
    ],
)
@pytest.mark.usefixtures("campaign")
def test_half_a_change_of_a_candidate_is_refused(
    session: Session, values: dict[str, object], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        session.execute(
            update(Candidate).where(Candidate.split == Split.POOL).values(values)
        )


def test_a_label_without_values_says_that_nothing_can_be_said(
    session: Session, campaign: Campaign
) -> None:
    session.add(
        Label(
            campaign_id=campaign.id,
            sky_object_id=id_of(session, campaign, object_name(1)),
            values={},
            quality=3,
            labeler="ann",
        )
    )
    with pytest.raises(IntegrityError, match="no_values_no_quality"):
        session.flush()


def place(session: Session, of: Split, as_if: Split) -> None:
    """Give an object of one split a rank, and say that it is of another."""
    session.execute(
        insert(RankedObject).values(
            run_id=select(func.min(Run.id)).scalar_subquery(),
            rank=1,
            sky_object_id=select(func.min(SkyObject.id))
            .where(SkyObject.split == of)
            .scalar_subquery(),
            split=as_if,
            score=1.0,
        )
    )
