"""The skies of the demo: real galaxies with photometry, or a simulated survey."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from al_service.cli.home import workplace
from al_service.cli.progress_bars import progress_bars
from al_service.errors import NotFound
from al_service.evaluation.report import ratio_metric
from al_service.rounds.pools import find_pool
from al_service.rounds.simulating import simulate_pool
from al_service.survey import sdss10k
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.simulation.settings import default_settings
from al_service.survey.targets import Target

SIMULATED_OBJECTS: Final = 4000

WITHOUT_SPECTRUM: Final = 0.7
"""Share of the simulated objects: surveys have images of many more than spectra."""

GAPS: Final = {
    "without_spectrum": WITHOUT_SPECTRUM,
    # Both campaigns have as many labels after every round: whatever is asked for can
    # be labeled.
    "without_labels": 0.0,
    "junk": 0.0,
}

_SEED: Final = 0
"""Of the simulated sky; that of the campaigns is the user's."""


class Survey(StrEnum):
    """Where the demo's galaxies are from."""

    SDSS10K = "sdss10k"  # ten thousand real galaxies, photometry
    SIMULATED = "simulated"  # images, photometry, and spectra of three in ten


@dataclass(frozen=True)
class DemoSky:
    """A survey as the demo plays on it."""

    survey: Survey
    rounds: int
    """Batches after the first labels, unless the user says otherwise."""
    initial: int
    """Labels before the first training."""
    batch: int
    """Labels a round."""
    introduction: str
    title: str
    """Of the picture."""
    source: str
    """Of the labels."""
    panels: tuple[tuple[str, str], ...]
    """Target and metric of the panels of the picture."""
    options: Mapping[str, Any] = field(default_factory=dict)  # of the API
    """Of both campaigns."""


SKIES: Final[Mapping[Survey, DemoSky]] = {
    Survey.SDSS10K: DemoSky(
        Survey.SDSS10K,
        rounds=6,
        initial=100,
        batch=50,
        introduction="real galaxies of the SDSS: redshifts from ugriz photometry.",
        title="Redshifts of SDSS galaxies from ugriz photometry",
        source="SDSS spectroscopy",
        panels=((Target.Z, ratio_metric(Target.Z)), (Target.Z, "sigma_mad")),
    ),
    Survey.SIMULATED: DemoSky(
        Survey.SIMULATED,
        rounds=3,
        initial=120,
        batch=60,
        introduction=f"simulated galaxies, {WITHOUT_SPECTRUM:.0%} of them without a"
        " spectrum:\nredshifts and star formation from images, spectra and photometry.",
        title=f"A simulated survey, {WITHOUT_SPECTRUM:.0%} without a spectrum",
        source="simulation",
        panels=(
            (Target.Z, ratio_metric(Target.Z)),
            (Target.SFR_MEDIAN, ratio_metric(Target.SFR_MEDIAN)),
        ),
        # The other campaign is the control: no label is spent on a second one, and
        # no time on the training of its networks.
        options={"random_share": 0.0},
    ),
}


def pool_of(survey: Survey, home: Path, *, objects: int) -> tuple[str, PoolArrays]:
    """The survey's pool in the stack of a home: made where it is not there yet.

    Args:
        survey: which.
        home: whose stack runs.
        objects: of a simulated survey.

    Returns:
        Its name and its arrays, which know the labels.
    """
    name = sdss10k.POOL_NAME
    with workplace(home) as place:
        artifacts = place.settings.artifacts_folder
        if survey is Survey.SIMULATED:
            name = f"demo-sky-{objects}"
            try:
                with place.sessions() as session:
                    find_pool(session, name)
            except NotFound:
                with progress_bars() as progress:
                    simulate_pool(
                        place.sessions,
                        name,
                        objects,
                        default_settings().with_changes({"gaps": GAPS}),
                        artifacts=artifacts,
                        seed=_SEED,
                        progress=progress,
                    )
        with place.sessions() as session:
            return name, PoolArrays.open(artifacts / find_pool(session, name).arrays)
