"""A pool of images and spectra goes through the same loop as one of photometry."""

from pathlib import Path

import numpy as np
import pytest

from al_service.posterior.checkpoint import load_checkpoint
from al_service.rounds import labeling, pools
from al_service.rounds.labeling import NewLabel
from al_service.rounds.leasing import Batch
from al_service.settings import Settings
from al_service.survey.pool_arrays import PoolColumns, write_pool_arrays
from al_service.survey.targets import DEFAULT_TARGETS
from db.tables import Campaign
from db.vocabulary import RunKind
from tests.conftest import Database
from tests.posterior.whole_sky import SMALL, whole_sky
from tests.rounds.observatory import LABELER, Observatory

N = 160
TARGETS = ("z", "sfr_median")
COLUMNS = [DEFAULT_TARGETS.index(target) for target in TARGETS]


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    """A pool with every subset of the modalities, and spectra as a survey has them."""
    whole = whole_sky(N)
    known = whole.values[:, COLUMNS]
    numbers = np.arange(N, dtype=np.float64)
    write_pool_arrays(
        tmp_path / "pools" / "sky",
        PoolColumns(
            object_ids=np.array([f"object {number:.0f}" for number in numbers]),
            group_ids=np.array([f"galaxy {number:.0f}" for number in numbers]),
            ra=numbers * 0.5,
            dec=numbers * 0.1,
            known_values=known,
            known_errors=np.full(known.shape, np.nan),
        ),
        photometry=whole.inputs.photometry,
        image=whole.inputs.image,
        has_image=whole.inputs.has_image,
        spectrum=whole.inputs.spectrum,
        has_spectrum=whole.inputs.has_spectrum,
        targets=TARGETS,
    )
    with database.sessions.begin() as session:
        pools.register_pool(
            session, "sky", artifacts=tmp_path, folder="pools/sky", seed=1
        )
    settings = Settings(artifacts=tmp_path, heartbeat_seconds=0.05, score_chunk=64)
    return Observatory(database.sessions, settings)


def tell(sky: Observatory, campaign_id: int, batch: Batch) -> None:
    """Both targets of every object, as the made-up survey knows them."""
    place = {str(name): row for row, name in enumerate(sky.arrays.object_ids)}
    known = sky.arrays.known_values
    with sky.sessions.begin() as session:
        labeling.tell(
            session,
            session.get_one(Campaign, campaign_id),
            labeler=LABELER,
            batch_id=batch.id,
            labels=[
                NewLabel(
                    object_id=item.object_id,
                    values=dict(
                        zip(TARGETS, known[place[item.object_id]].tolist(), strict=True)
                    ),
                )
                for item in batch.items
            ],
        )


def test_images_and_spectra_are_asked_for_labeled_trained_on_and_predicted(
    sky: Observatory,
) -> None:
    model = SMALL.model_dump(mode="json", exclude_none=True)
    campaign_id = sky.open_campaign(targets=TARGETS, model=model)
    tell(sky, campaign_id, sky.ask(campaign_id, 50))

    full = sky.publish(campaign_id, RunKind.FULL)

    assert full.checkpoint_digest is not None
    served = load_checkpoint(sky.artifacts / "checkpoints", full.checkpoint_digest)
    assert served.network.modalities == ("image", "photometry", "spectrum")
    batch = sky.ask(campaign_id, 10)
    assert all(item.prediction is not None for item in batch.items)
    assert set(batch.items[0].prediction or {}) == set(TARGETS)
    tell(sky, campaign_id, batch)
    head = sky.publish(campaign_id, RunKind.HEAD)
    assert head.base_run_id == full.id
    assert head.metrics is not None
    assert head.metrics["n_labels"] == 60
    # Every subset of the modalities is predicted, and a scan leaves nothing to ask.
    predictions = sky.predictions(campaign_id)
    assert set(predictions) >= {name for name, _, _ in sky.ranking(campaign_id)}
    flags = sky.arrays.flags
    patterns = {
        tuple(bool(flags[name][row]) for name in ("image", "photometry", "spectrum"))
        for row, name in enumerate(sky.arrays.object_ids)
        if str(name) in predictions
    }
    assert len(patterns) == 2**3
    # What a spectrum would be worth is said of those that have none, and of no other.
    has = dict(zip(sky.arrays.object_ids.tolist(), flags["spectrum"], strict=True))
    for name, said in predictions.items():
        for target in TARGETS:
            assert ("spectrum_saves" in said.targets[target]) == (not has[name])
