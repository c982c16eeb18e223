"""Networks that know what they do not know, on the image and on the fused network.

The fused one hides modalities in training: what was never hidden cannot be missed.
Draws with dropout need a network that was trained with it; everything else begins at a
network that is a row of the table already.
"""

from dataclasses import replace

from al_service.studies.experiment.stream_moments import Uncertainty
from al_service.studies.experiment.stream_system import StreamSystem
from al_service.studies.experiment.system import Family, System
from al_service.studies.experiment.systems.balance import MODALITY_DROPOUT
from al_service.studies.experiment.systems.networks import IMAGE_CNN

_NAMES = {
    Uncertainty.DROPOUT: "mc_dropout",
    Uncertainty.VARIATIONAL: "variational_cnn",
    Uncertainty.ENSEMBLE: "ensemble5",
    Uncertainty.LAPLACE: "laplace",
}


def _systems(suffix: str, network: StreamSystem) -> tuple[System, ...]:
    return tuple(
        replace(
            network,
            name=f"{name}{suffix}",
            family=Family.BAYESIAN,
            uncertainty=uncertainty,
            start=None if uncertainty is Uncertainty.DROPOUT else network,
        )
        for uncertainty, name in _NAMES.items()
    )


SYSTEMS: tuple[System, ...] = (
    *_systems("_image", IMAGE_CNN),
    *_systems("", MODALITY_DROPOUT),
)
