"""Guards of a campaign: what flags hold back comes last and is named."""

from pathlib import Path

import numpy as np

from al_service.survey.photometry_columns import BANDS, MODEL_FLUX, MODEL_FLUX_ERROR
from al_service.survey.sdss10k import read_sdss10k
from db.vocabulary import RunKind
from tests.conftest import Database
from tests.rounds.observatory import N_OBJECTS, build_observatory

FAINT = np.arange(0, N_OBJECTS, 10)
R = BANDS.index("r")


def test_what_a_flag_holds_back_comes_last_and_is_named(
    database: Database, tmp_path: Path
) -> None:
    columns, photometry = read_sdss10k()
    photometry = photometry[:N_OBJECTS].copy()
    photometry[FAINT, MODEL_FLUX_ERROR.start + R] = (
        photometry[FAINT, MODEL_FLUX.start + R] / 3.0
    )
    faint = set(columns.object_ids[FAINT].tolist())
    sky = build_observatory(database.sessions, tmp_path, photometry=photometry)
    campaign_id = sky.open_campaign(
        strategy={
            "name": "lcmd",
            "hold_back": ["faint"],
            "isolation": 0,
            "quota": 0.6,
            "quota_by": "color",
        },
        random_share=0.0,
    )

    cold_start = sky.live_run(campaign_id, RunKind.SCORE)
    assert cold_start is not None
    sky.carry_out(cold_start.id)
    cold = {name for name, _, _ in sky.ranking(campaign_id)}
    sky.observe(campaign_id, 60)
    run = sky.publish(campaign_id, RunKind.FULL)

    assert not faint & cold
    order = [name for name, _, _ in sky.ranking(campaign_id)]
    held = [name in faint for name in order]
    assert any(held)
    assert held == sorted(held)
    assert run.metrics is not None
    named = run.metrics["anomalies"]
    assert named["count"] == sum(held)
    assert set(named["object_ids"]) == faint & set(order)
