"""Campaigns: opened with their candidates, changed, found."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from al_service.errors import Conflict, InvalidInput, NotFound
from al_service.models.config import check_sees_something
from al_service.rounds import planning
from al_service.rounds.policy import RetrainPolicy as RetrainPolicy  # for the doors
from al_service.survey.targets import DEFAULT_TARGETS
from db.base import JsonObject
from db.repositories import campaigns, candidates, pools
from db.repositories.campaigns import BriefCampaign
from db.tables import Campaign, Pool
from db.vocabulary import CampaignState, RunKind

LARGEST_NUMBER: Final = 2**63 - 1
"""PostgreSQL's BIGINT ends here."""

LONGEST_NUMBER: Final = 100
"""Digits, zeros in front included: nobody writes longer ones."""

NAME: Final = r"^[A-Za-z0-9_.-]*[A-Za-z_-][A-Za-z0-9_.-]*$"
"""Letters, digits, `_`, `.` and `-`; not digits alone, which would be a number, nor
dots, which would be a folder in an address."""

EVALUATION_SIZE: Final = 200
"""Evaluation labels that a pool without known labels asks for first: the error of an
RMSE from so many is 5 %, below the gains that a round brings."""


class NewCampaign(BaseModel):
    """What a campaign is opened with.

    `model` and `strategy` were validated by the door that took them in; `{}` stands
    for the defaults of the day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100, pattern=NAME)
    pool: str = Field(min_length=1)
    targets: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Without it, what the pool has known labels of, else all nine."""
    model: JsonObject = Field(default_factory=dict)
    strategy: JsonObject = Field(default_factory=dict)
    retrain: RetrainPolicy = RetrainPolicy()
    random_share: float = Field(default=0.1, ge=0, le=1)
    overlap: int = Field(default=1, ge=1, le=9)
    budget: int | None = Field(default=None, ge=0, le=LARGEST_NUMBER)
    evaluation_size: int = Field(default=EVALUATION_SIZE, ge=0, le=1_000_000)
    seed: int = Field(default=0, ge=0, le=LARGEST_NUMBER)


class CampaignChange(BaseModel):
    """What may change while a campaign runs; a field that is not set stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: CampaignState | None = None
    retrain: RetrainPolicy | None = None
    random_share: float | None = Field(default=None, ge=0, le=1)
    budget: int | None = Field(default=None, ge=0, le=LARGEST_NUMBER)
    """Set to None: no limit any more."""


def create_campaign(session: Session, new: NewCampaign) -> Campaign:
    """Open a campaign: it can be asked at once.

    Its candidates are the pool's objects and, unless the pool brings known labels of
    all its targets, an evaluation sample. A run that ranks without labels is planned;
    until it is published, items come from the random sample.

    Args:
        session: the caller commits, then rings for its planned run, or the sweep does.
        new: what was asked for.

    Raises:
        NotFound: no such pool.
        Conflict: the name is taken.
        InvalidInput: a target that nobody can predict, a declared interest in one
            that this campaign does not, or a model that may look at nothing that the
            pool has.
    """
    pool = pools.find_visible(session, new.pool)
    if pool is None:
        raise NotFound("pool", new.pool)
    targets = _targets(new, pool)
    _check_declared(new.strategy, targets)
    check_sees_something(new.model.get("modalities"), pool.modalities)
    if campaigns.by_name(session, new.name) is not None:
        raise _taken(new.name)
    try:
        with session.begin_nested():
            campaign = campaigns.add(session, _campaign(new, pool, targets))
    except IntegrityError as error:  # somebody took the name in this very moment
        raise _taken(new.name) from error
    candidates.create(session, campaign, evaluation_size=campaign.evaluation_size)
    planning.plan(session, campaign, RunKind.SCORE)
    return campaign


def brings_labels(pool: Pool, targets: Sequence[str]) -> bool:
    """Whether the pool knows labels of all these targets: nobody has to be asked."""
    return set(targets) <= set(pool.known_targets)


def list_campaigns(
    session: Session, after: int | None = None, limit: int = 100
) -> list[Campaign]:
    """Campaigns by number, from the one behind `after`."""
    return campaigns.page(session, after=after or 0, limit=limit)


def find_campaign(session: Session, ref: str | int) -> Campaign:
    """The campaign of a name or a number.

    Raises:
        NotFound: there is none.
    """
    number, name = _number_or_name(ref)
    if name is not None:
        found = campaigns.by_name(session, name)
    else:
        found = None if number is None else campaigns.by_id(session, number)
    if found is None:
        raise NotFound("campaign", ref)
    return found


def find_briefly(session: Session, ref: str | int) -> BriefCampaign:
    """The same without its configuration, which an ask does not read.

    Raises:
        NotFound: there is none.
    """
    number, name = _number_or_name(ref)
    found = campaigns.briefly(session, number=number, name=name)
    if found is None:
        raise NotFound("campaign", ref)
    return found


def change_campaign(
    session: Session, campaign_id: int, change: CampaignChange
) -> Campaign:
    """Change the fields that are set.

    Raises:
        NotFound: no such campaign.
        Conflict: it is finished: closed for good.
    """
    if campaigns.by_id(session, campaign_id) is None:
        raise NotFound("campaign", campaign_id)
    campaign = campaigns.lock(session, campaign_id)
    given = change.model_fields_set
    if campaign.state is CampaignState.FINISHED and given:
        raise Conflict(f"campaign {campaign.name!r} is finished: it cannot be changed")
    if change.state is not None:
        campaign.state = change.state
    if change.retrain is not None:
        campaign.retrain = change.retrain.model_dump(mode="json")
    if change.random_share is not None:
        campaign.random_share = change.random_share
    if "budget" in given:
        campaign.budget = change.budget
    session.flush()
    session.refresh(campaign)
    return campaign


def _number_or_name(ref: str | int) -> tuple[int | None, str | None]:
    """One of them, or neither: a number that PostgreSQL could not hold is nobody's."""
    if isinstance(ref, str) and not (ref.isascii() and ref.isdigit()):
        return None, ref
    if isinstance(ref, str) and len(ref) > LONGEST_NUMBER:  # Python reads only 4300
        return None, None
    number = int(ref)
    return (number, None) if number <= LARGEST_NUMBER else (None, None)


def _targets(new: NewCampaign, pool: Pool) -> list[str]:
    chosen = new.targets or tuple(pool.known_targets) or DEFAULT_TARGETS
    unknown = [target for target in chosen if target not in DEFAULT_TARGETS]
    if unknown:
        raise InvalidInput(
            f"targets: expected some of {', '.join(DEFAULT_TARGETS)}, found"
            f" {', '.join(map(repr, unknown))}"
        )
    twice = sorted({target for target in chosen if chosen.count(target) > 1})
    if twice:
        raise InvalidInput(f"targets: {', '.join(twice)} is there more than once")
    # In the order of the survey's list.
    return [target for target in DEFAULT_TARGETS if target in chosen]


def _check_declared(strategy: JsonObject, targets: Sequence[str]) -> None:
    """Refuse what no run could heed: it would fail long after the campaign is open."""
    declared = [one["target"] for one in strategy.get("interest") or ()]
    weights = strategy.get("target_weights") or {}
    foreign = [one for one in (*declared, *weights) if one not in targets]
    if foreign:
        raise InvalidInput(
            f"strategy: expected interest in {', '.join(targets)}, found"
            f" {', '.join(dict.fromkeys(foreign))}"
        )
    if not any(weights.get(target, 1.0) > 0 for target in targets):
        raise InvalidInput("strategy: expected a positive weight of one target")


def _campaign(new: NewCampaign, pool: Pool, targets: list[str]) -> Campaign:
    return Campaign(
        name=new.name,
        pool_id=pool.id,
        state=CampaignState.ACTIVE,
        targets=targets,
        model=new.model,
        strategy=new.strategy,
        retrain=new.retrain.model_dump(mode="json"),
        random_share=new.random_share,
        overlap=new.overlap,
        budget=new.budget,
        # What the pool knows need not be asked for.
        evaluation_size=0 if brings_labels(pool, targets) else new.evaluation_size,
        seed=new.seed,
    )


def _taken(name: str) -> Conflict:
    return Conflict(f"a campaign named {name!r} exists already: choose another name")
