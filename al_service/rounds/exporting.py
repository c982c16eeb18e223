"""Exporting: batches as target lists, labels as tables of any size."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import quote

from sqlalchemy.orm import Session, sessionmaker

from al_service.errors import NotFound
from al_service.exports.columns import Block, Fact, Heading, Parts
from al_service.exports.formats import TableFormat, TargetListFormat, write_table
from al_service.exports.label_table import MEASURED, label_block, label_heading
from al_service.exports.target_list import ListedTarget, target_list
from al_service.rounds import leasing
from db.repositories import campaigns, exporting
from db.tables import Campaign, Run


@dataclass(frozen=True)
class Origin:
    """Who exports, and when."""

    address: str
    """Where this service answers objects: `http://…/api/v1/objects/`."""
    now: datetime

    def facts(self) -> tuple[Fact, ...]:
        """What every export says of itself."""
        return (
            Fact("service", f"al-service {version('al-service')}", "writer", "ALSERV"),
            Fact("exported_at", _iso(self.now), "UTC", "ALDATE"),
        )


def export_batch(
    session: Session, batch_id: int, kind: TargetListFormat, origin: Origin
) -> Parts:
    """A batch as a target list; nothing is read after this returns.

    Raises:
        NotFound: there is none of this number.
    """
    batch = leasing.show(session, batch_id)
    campaign = campaigns.by_id(session, batch.campaign_id)
    if campaign is None:
        raise NotFound("campaign", batch.campaign_id)
    run = None if batch.run_id is None else session.get(Run, batch.run_id)
    listed = [
        ListedTarget(
            **vars(item), object_url=origin.address + quote(item.object_id, safe="")
        )
        for item in batch.items
    ]
    heading, block = target_list(
        f"batch {batch.id} of {campaign.name}",
        listed,
        [str(target) for target in campaign.targets],
        (*_provenance(batch, campaign, run), *origin.facts()),
    )
    return write_table(TableFormat(kind), heading, [block] if listed else [])


def export_labels(
    sessions: sessionmaker[Session],
    campaign_id: int,
    kind: TableFormat,
    origin: Origin,
    *,
    current: bool = False,
) -> Parts:
    """Every label ever told, by number, in bounded memory.

    The session is the generator's own: it ends when the last part was taken, and when
    the generator is closed.

    Args:
        sessions: where to get one from.
        campaign_id: whose labels.
        kind: format of the file.
        origin: who exports.
        current: only labels that nobody has corrected.

    Returns:
        The file's bytes, all of one moment, whatever is told meanwhile.

    Raises:
        NotFound: there is no such campaign.
    """
    with sessions() as session:
        exporting.begin_snapshot(session)
        campaign = campaigns.by_id(session, campaign_id)
        if campaign is None:
            raise NotFound("campaign", campaign_id)
        targets = [str(target) for target in campaign.targets]
        heading = _label_heading(session, campaign, targets, origin, current=current)
        yield from write_table(
            kind, heading, _label_blocks(session, campaign_id, targets, current)
        )


def _label_heading(
    session: Session,
    campaign: Campaign,
    targets: list[str],
    origin: Origin,
    *,
    current: bool,
) -> Heading:
    extent = exporting.measure_labels(session, campaign.id, current=current)
    facts = (
        Fact("campaign", campaign.name, "its name", "ALCAMP"),
        Fact("campaign_id", campaign.id, "its number", "ALCAMPID"),
        Fact("current_only", current, "without corrected labels", "ALCURR"),
        *origin.facts(),
    )
    return label_heading(
        f"labels of {campaign.name}",
        targets,
        facts,
        n_rows=extent.count,
        widths={name: getattr(extent, name) for name in MEASURED},
    )


def _label_blocks(
    session: Session, campaign_id: int, targets: list[str], current: bool
) -> Iterator[Block]:
    for rows in exporting.read_labels(session, campaign_id, current=current):
        yield label_block(rows, targets)


def _provenance(
    batch: leasing.Batch, campaign: Campaign, run: Run | None
) -> Iterator[Fact]:
    """Where a batch comes from: enough to find out why each object is in it."""
    yield Fact("campaign", campaign.name, "its name", "ALCAMP")
    yield Fact("campaign_seed", campaign.seed, "of all that is drawn", "ALCSEED")
    strategy = json.dumps(campaign.strategy, sort_keys=True)
    name = str(campaign.strategy.get("name", ""))
    yield Fact("strategy", name, "how objects are chosen", "ALSTRAT")
    yield Fact("strategy_config", strategy, "the strategy in full, JSON", "ALSTRCFG")
    yield Fact("random_share", campaign.random_share, "of random objects", "ALRANDOM")
    yield Fact("batch_id", batch.id, "its number", "ALBATCH")
    yield Fact("batch_labeler", batch.labeler, "for whom it is reserved", "ALLABLR")
    yield Fact("batch_state", batch.state.value, "at the time of export", "ALSTATE")
    yield Fact("opened_at", _iso(batch.opened_at), "UTC", "ALOPENED")
    yield Fact(
        "expires_at", _iso(batch.expires_at), "end of the lease, UTC", "ALEXPIRE"
    )
    if run is None:
        return
    yield Fact("run_id", run.id, "the run whose ranking was walked", "ALRUN")
    yield Fact("run_kind", run.kind.value, "what the run did", "ALRUNKND")
    yield Fact("run_seed", run.seed, "seed of the run", "ALRSEED")
    yield Fact("config_digest", run.config_digest, "sha256", "ALCONFIG")
    labels = run.head_digest or run.label_digest
    yield Fact("label_digest", labels, "of the labels it knows", "ALLABELS")
    if run.checkpoint_digest is not None:
        yield Fact("checkpoint_digest", run.checkpoint_digest, "network", "ALCHECK")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
