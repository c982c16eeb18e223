"""Rows and values of the loop, written as answers."""

from datetime import timedelta
from urllib.parse import quote

from sqlalchemy.orm import Session

from al_service.api.address import PREFIX
from al_service.api.schemas.batches import Batch, BatchItem
from al_service.api.schemas.campaigns import (
    Campaign,
    CampaignStatus,
    Counts,
    NextRetrain,
)
from al_service.api.schemas.objects import Candidacy, SkyObject
from al_service.api.schemas.runs import Run
from al_service.rounds import browsing, leasing, progress
from db.tables import Campaign as CampaignRow


def campaign_answer(campaign: CampaignRow, pool: str) -> Campaign:
    """A campaign without its counts."""
    return Campaign(pool=pool, **_plain_fields(campaign))


def status_answer(
    session: Session, campaign: CampaignRow, *, stale_after: timedelta
) -> CampaignStatus:
    """A campaign with its counts and what happens next.

    Args:
        session: reads in its transaction.
        campaign: which.
        stale_after: silence after which a run is shown as stale.
    """
    status = progress.campaign_status(session, campaign)

    def view(run_id: int) -> Run:
        run = progress.show_run(session, run_id, stale_after=stale_after)
        return run_answer(run, campaign.name)

    served = status.served_run
    return CampaignStatus(
        **_plain_fields(campaign),
        pool=status.pool,
        counts=Counts.model_validate(status.counts),
        spent=status.spent,
        served_run=None if served is None else view(served.id),
        live_runs=[view(run.id) for run in status.live_runs],
        next_retrain=NextRetrain.model_validate(status.next_retrain),
    )


def run_answer(run: progress.RunView, campaign: str) -> Run:
    """A run as it stands."""
    names = Run.model_fields.keys() - {"campaign"}
    return Run(campaign=campaign, **{name: getattr(run, name) for name in names})


def batch_answer(batch: leasing.Batch) -> Batch:
    """A batch with its objects."""
    items = [
        BatchItem(**vars(item), links=_links(item.object_id)) for item in batch.items
    ]
    names = Batch.model_fields.keys() - {"items"}
    return Batch(items=items, **{name: getattr(batch, name) for name in names})


def object_answer(history: browsing.ObjectHistory) -> SkyObject:
    """An object with its history."""
    one = history.sky_object
    return SkyObject(
        object_id=one.object_id,
        pool=history.pool,
        group_id=one.group_id,
        ra=one.ra,
        dec=one.dec,
        split=one.split,
        has_photometry=one.has_photometry,
        has_image=one.has_image,
        has_spectrum=one.has_spectrum,
        links=_links(
            one.object_id,
            pool=history.pool,
            image=one.has_image,
            spectrum=one.has_spectrum,
        ),
        campaigns=[Candidacy.model_validate(each) for each in history.campaigns],
    )


def _links(
    object_id: str,
    *,
    pool: str | None = None,
    image: bool = True,
    spectrum: bool = True,
) -> dict[str, str]:
    """Where an object and its measurements are.

    Args:
        object_id: whose.
        pool: named in the links where it is known.
        image: whether there may be an image.
        spectrum: whether there may be a spectrum.
    """
    address = f"{PREFIX}/objects/{quote(object_id, safe='')}"
    query = "" if pool is None else f"?pool={quote(pool, safe='')}"
    links = {"object": address + query}
    if image:
        links["image"] = f"{address}/image.png{query}"
    if spectrum:
        links["spectrum"] = f"{address}/spectrum{query}"
    return links


def _plain_fields(campaign: CampaignRow) -> dict[str, object]:
    names = Campaign.model_fields.keys() - {"pool"}
    return {name: getattr(campaign, name) for name in names}
