"""Labels: what the catalogs of redshifts and of star formation say of a galaxy.

A posterior of log SFR is a normal distribution with two sides (Wallis 2014, Statist.
Sci. 29, 106); all eight statistics are those of one. Where it is honest the true rate
is a draw of it; where it has the width of its prior, the label is closer to the truth.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtri

from al_service.survey.simulation.settings import LabelSettings
from al_service.survey.targets import DEFAULT_TARGETS, Target

QUANTILES: Final = {
    Target.SFR_P2P5: 0.025,
    Target.SFR_P16: 0.16,
    Target.SFR_MEDIAN: 0.5,
    Target.SFR_P84: 0.84,
    Target.SFR_P97P5: 0.975,
}

MODES: Final = (-4.0, 3.0)
"""log SFR that a catalog gives: its grid ends not far beyond (`LIMITS`)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Posteriors:
    """Two-sided normal posteriors of log SFR of `N` galaxies."""

    mode: Floats
    """`N` log10 solar masses a year."""
    below: Floats
    """`N` standard deviations of the side below the mode, dex."""
    above: Floats
    """`N` of the side above."""

    def quantile(self, share: float) -> Floats:
        """`N` values below which this share of the posterior lies."""
        left = self.below / (self.below + self.above)
        inside = share / (2.0 * left)
        outside = 1.0 - (1.0 - share) / (2.0 * (1.0 - left))
        on_left = share < left
        step = ndtri(np.clip(np.where(on_left, inside, outside), 1e-12, 1 - 1e-12))
        return np.asarray(self.mode + step * np.where(on_left, self.below, self.above))

    def mean(self) -> Floats:
        """`N` averages."""
        return np.asarray(self.mode + np.sqrt(2 / np.pi) * (self.above - self.below))

    def entropy(self, step: float) -> Floats:
        """Sum of p lg p over bins of this step, `N`; lg is the binary logarithm."""
        width = (self.below + self.above) / 2.0
        bits = np.log2(width * np.sqrt(2.0 * np.pi * np.e) / step)
        return np.asarray(-bits)

    def draw(self, generator: Generator) -> Floats:
        """One value of each."""
        n = len(self.mode)
        away = np.abs(generator.standard_normal(n))
        left = generator.random(n) < self.below / (self.below + self.above)
        return np.asarray(self.mode + np.where(left, -self.below, self.above) * away)


def make_posteriors(
    log_rate: Floats,
    star_forming: NDArray[np.bool_],
    line_visibility: Floats,
    settings: LabelSettings,
    generator: Generator,
) -> Posteriors:
    """What the catalog concludes about rates that are as they are.

    Args:
        log_rate: `N` true log10 solar masses a year.
        star_forming: `N`.
        line_visibility: `N` from 0, lines drown in noise, to 1, they do not.
        settings: widths and sides.
        generator: of all chance.
    """
    n = len(log_rate)
    forming = settings.width_star_forming + settings.width_without_lines * (
        1.0 - line_visibility
    )
    width = np.where(star_forming, forming, settings.width_passive)
    width = width * np.exp(generator.normal(0.0, settings.width_scatter, n))
    skewness = np.where(
        star_forming, settings.skewness_star_forming, settings.skewness_passive
    ) + generator.normal(0.0, settings.skewness_scatter, n)
    centered = Posteriors(
        np.zeros(n), width * np.exp(-skewness / 2), width * np.exp(skewness / 2)
    )
    off = centered.draw(generator) * np.where(
        star_forming,
        settings.noise_over_width_star_forming,
        settings.noise_over_width_passive,
    )
    mode = log_rate - off
    wrong = generator.random(n) < settings.wrong_share
    far = generator.uniform(*settings.wrong_offset, n)
    far = far * generator.choice([-1.0, 1.0], n)
    mode = np.clip(mode + np.where(wrong, far, 0.0), *MODES)
    return Posteriors(mode, centered.below, centered.above)


def redshift_labels(
    redshift: Floats,
    signal_to_noise: Floats,
    settings: LabelSettings,
    generator: Generator,
) -> tuple[Floats, Floats]:
    """Redshifts as a pipeline finds them, and their errors, `N` each."""
    ratio = np.maximum(signal_to_noise, 0.5)
    error = settings.redshift_error * (10.0 / ratio) + settings.redshift_error_floor
    error = error * (1.0 + redshift)
    return redshift + error * generator.standard_normal(len(redshift)), error


def label_table(
    redshift: tuple[Floats, Floats], posteriors: Posteriors, settings: LabelSettings
) -> tuple[Floats, Floats]:
    """Values and errors of the nine targets, `N x T` each.

    The statistics of star formation are what the catalog says, exactly: their spread
    stands in the quantiles, they have no errors of their own.
    """
    columns = {
        Target.Z: redshift[0],
        Target.SFR_AVG: posteriors.mean(),
        Target.SFR_ENTROPY: posteriors.entropy(settings.bin),
        Target.SFR_MODE: posteriors.mode,
        **{target: posteriors.quantile(share) for target, share in QUANTILES.items()},
    }
    values = np.stack([columns[Target(name)] for name in DEFAULT_TARGETS], axis=1)
    errors = np.full(values.shape, np.nan)
    errors[:, DEFAULT_TARGETS.index(Target.Z)] = redshift[1]
    return values, errors
