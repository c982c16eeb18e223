"""One modality, one network, as in the paper."""

from typing import Final

from al_service.features.preparation import IMAGE, SPECTRUM
from al_service.models.streams import Reading
from al_service.studies.experiment.stream_system import StreamSystem
from al_service.studies.experiment.system import Family, System

IMAGE_CNN: Final = StreamSystem(
    "image_cnn", Family.NETWORK, (IMAGE,), {IMAGE: Reading.BOTH}
)

SPECTRUM_CNN_LINES: Final = StreamSystem(
    "spectrum_cnn_lines", Family.NETWORK, (SPECTRUM,), {SPECTRUM: Reading.BOTH}
)
"""The same stream as in fused networks: lines and scan beside the pixels."""

SYSTEMS: tuple[System, ...] = (
    IMAGE_CNN,
    StreamSystem("image_cnn_pixels", Family.NETWORK, (IMAGE,), {IMAGE: Reading.PIXELS}),
    StreamSystem(
        "spectrum_fully_connected",
        Family.NETWORK,
        (SPECTRUM,),
        {SPECTRUM: Reading.FLAT},
    ),
    StreamSystem(
        "spectrum_cnn", Family.NETWORK, (SPECTRUM,), {SPECTRUM: Reading.PIXELS}
    ),
    SPECTRUM_CNN_LINES,
)
