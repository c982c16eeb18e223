"""Networks that know what they do not know, on the image and on the fused network."""

from al_service.features.preparation import IMAGE, SPECTRUM
from al_service.studies.experiment.stream_model import Uncertainty
from al_service.studies.experiment.stream_system import StreamSystem, pixel_readings
from al_service.studies.experiment.system import Family, System

_HIDING = {IMAGE: 0.15, SPECTRUM: 0.3}
"""As the service does: what was never hidden cannot be missed."""

_NAMES = {
    Uncertainty.DROPOUT: "mc_dropout",
    Uncertainty.VARIATIONAL: "variational_cnn",
    Uncertainty.ENSEMBLE: "ensemble5",
    Uncertainty.LAPLACE: "laplace",
}


def _systems(suffix: str, inputs: tuple[str, ...]) -> tuple[System, ...]:
    return tuple(
        StreamSystem(
            f"{name}{suffix}",
            Family.BAYESIAN,
            inputs,
            pixel_readings(*inputs),
            uncertainty=uncertainty,
            hiding=_HIDING if len(inputs) > 1 else {},
        )
        for uncertainty, name in _NAMES.items()
    )


SYSTEMS: tuple[System, ...] = (
    *_systems("_image", (IMAGE,)),
    *_systems("", (IMAGE, SPECTRUM)),
)
