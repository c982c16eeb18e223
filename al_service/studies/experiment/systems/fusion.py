"""Image and spectrum joined: before, within and behind the networks."""

from al_service.features.preparation import IMAGE, SPECTRUM
from al_service.models.streams import Joining, Reading
from al_service.studies.experiment.late_fusion import LateFusion, Rule
from al_service.studies.experiment.stream_reading import EARLY
from al_service.studies.experiment.stream_system import StreamSystem, pixel_readings
from al_service.studies.experiment.system import Family, System
from al_service.studies.experiment.systems.networks import (
    IMAGE_CNN,
    SPECTRUM_CNN_LINES,
)

_BOTH = (IMAGE, SPECTRUM)

SYSTEMS: tuple[System, ...] = (
    StreamSystem("early_fusion", Family.FUSION, _BOTH, {EARLY: Reading.COLUMNS}),
    StreamSystem("dual_stream_concat", Family.FUSION, _BOTH, pixel_readings(*_BOTH)),
    StreamSystem(
        "dual_stream_attention",
        Family.FUSION,
        _BOTH,
        pixel_readings(*_BOTH),
        Joining.ATTENTION,
    ),
    LateFusion("late_product", Rule.PRODUCT, IMAGE_CNN, SPECTRUM_CNN_LINES),
    LateFusion("late_stacked", Rule.STACKED, IMAGE_CNN, SPECTRUM_CNN_LINES),
)
