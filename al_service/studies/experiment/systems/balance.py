"""The fused network, trained so that no modality crowds out the other."""

from typing import Final

from al_service.features.preparation import IMAGE, SPECTRUM
from al_service.models.balance import Balance
from al_service.studies.experiment.stream_system import StreamSystem, pixel_readings
from al_service.studies.experiment.system import Family, System

_BOTH = (IMAGE, SPECTRUM)

MODALITY_DROPOUT: Final = StreamSystem(
    "modality_dropout",
    Family.BALANCE,
    _BOTH,
    pixel_readings(*_BOTH),
    hiding={IMAGE: 0.15, SPECTRUM: 0.3},
)
"""Hides as often as the service does."""

SYSTEMS: tuple[System, ...] = (
    MODALITY_DROPOUT,
    StreamSystem(
        "gradient_blending",
        Family.BALANCE,
        _BOTH,
        pixel_readings(*_BOTH),
        balance=Balance.GRADIENT_BLENDING,
    ),
    StreamSystem(
        "greedy_rebalancing",
        Family.BALANCE,
        _BOTH,
        pixel_readings(*_BOTH),
        balance=Balance.GREEDY_REBALANCING,
    ),
)
