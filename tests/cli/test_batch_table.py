"""A batch is shown as wide as the terminal and no wider."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from al_service.cli.batch_table import show_batch
from al_service.rounds.leasing import Batch, BatchItem
from al_service.survey.targets import DEFAULT_TARGETS
from db.base import JsonObject
from db.vocabulary import LeaseState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

PREDICTION: JsonObject = {
    target: {"mean": -1.25, "epistemic": 0.01, "aleatoric": 0.01}
    for target in DEFAULT_TARGETS
}


def shown(width: int, prediction: JsonObject | None = PREDICTION) -> str:
    item = BatchItem(
        object_id="SDSS J131518.58+445511.9",
        ra=198.82742,
        dec=44.91997,
        rank=0,
        reason="lcmd",
        score=1.5,
        prediction=prediction,
        held=True,
    )
    batch = Batch(
        id=7,
        campaign_id=1,
        campaign="first",
        labeler="vera",
        state=LeaseState.OPEN,
        opened_at=NOON,
        expires_at=NOON,
        run_id=1,
        exhausted=False,
        items=(item,),
    )
    file = io.StringIO()
    show_batch(Console(file=file, width=width), batch)
    return file.getvalue()


def test_nine_targets_are_shown_as_far_as_there_is_room() -> None:
    """They were folded into columns of three letters."""
    narrow = shown(80)
    assert narrow.count("-1.250±0.014") == 1
    assert "predicted as well" in narrow
    heading = narrow.splitlines()[1]
    assert heading.split()[-1] == "z"
    assert all(len(line) <= 80 for line in narrow.splitlines())


@pytest.mark.parametrize("width", [200, 400])
def test_a_wide_window_shows_everything(width: int) -> None:
    wide = shown(width)
    assert wide.count("-1.250±0.014") == len(DEFAULT_TARGETS)
    assert "predicted as well" not in wide


def test_before_the_first_run_nothing_is_predicted() -> None:
    assert "±" not in shown(80, prediction=None)
