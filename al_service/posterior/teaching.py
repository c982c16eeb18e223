"""Labels teach the last layer: in closed form, within seconds.

Every label teaches the weights of every pattern of modalities, by the φ that its object
would have if no more than the pattern had been measured. An object with everything says
as much about those that have an image alone as one that has an image alone.
"""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.models.network import ALL_BUT_SPECTRUM, Network
from al_service.posterior.closed_form import (
    WeightPosterior,
    left_out_errors,
    tuned_posterior,
)
from al_service.posterior.error_correlation import error_correlation
from al_service.posterior.features import Features
from al_service.posterior.head import Head, with_constant
from al_service.posterior.optimizing import one_thread
from al_service.posterior.scan_measurement import scan_scale, scanned
from al_service.survey.inputs import Modality
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

ONE_THREAD_BELOW: Final = 10_000
"""Labels up to which one core is about as fast as two."""


def fit_head(
    network: Network,
    features: Features,
    values: Floats,
    errors: Floats,
    weights: Floats | None = None,
) -> Head:
    """The exact posterior of the last layer given labels.

    Args:
        network: gives the targets and the latents' scale.
        features: of the `N` labeled objects.
        values: `N x T` labels in the targets' units, NaN where unknown.
        errors: `N x T` their standard deviations, NaN where unknown.
        weights: `N` pool-density weights of mean 1; they enter the mean only.
    """
    latent, latent_errors, observed = network.transform.forward(values, errors)
    together = network.transform.error_covariance(values, errors)
    labels = _Labels(network, latent, latent_errors, together, observed, weights)
    with one_thread() if len(values) < ONE_THREAD_BELOW else nullcontext():
        layers = {
            pattern: labels.teach(seen, pattern)
            for pattern, seen in _patterns(network, features).items()
        }
    each = list(layers.values())
    return Head(
        network.targets,
        network.latent_center,
        network.latent_spread,
        np.array([[one.precision for one in layer.taught] for layer in each]),
        np.array([[one.posterior.mean for one in layer.taught] for layer in each]),
        np.array([[one.posterior.factor for one in layer.taught] for layer in each]),
        observed.sum(axis=0).astype(np.int64),
        scan_scale(network.targets, features, latent, latent_errors, observed),
        np.array(list(layers), dtype=np.int64),
        np.array([layer.correlation for layer in each]),
    )


@dataclass(frozen=True)
class _Taught:
    """What `N` labels have taught one latent, and how they lie about it."""

    precision: float
    """Of the prior."""
    posterior: WeightPosterior
    errors: Floats
    """`N` from what all other labels say, in standard deviations; NaN: none."""
    spread: Floats
    """`N` standard deviations of the labels, of the network and of their own."""


@dataclass(frozen=True)
class _Layer:
    """The weights of one pattern."""

    taught: list[_Taught]
    """By latent."""
    correlation: Floats
    """`T x T` of the latents' errors."""


@dataclass(frozen=True)
class _Labels:
    """Labels of `N` objects as latents."""

    network: Network
    latent: Floats
    """`N x T`."""
    errors: Floats
    """`N x T` standard deviations."""
    together: Floats
    """`N x T x T` covariances of the same."""
    observed: NDArray[np.bool_]
    """`N x T`."""
    weights: Floats | None
    """`N`."""

    def teach(self, seen: Features, pattern: int) -> _Layer:
        """The weights of a pattern.

        Args:
            seen: the objects, as they show themselves to the weights.
            pattern: union of `Modality`; the weights serve also some that have less.
        """
        taught = [
            self._teach(seen, column, target)
            for column, target in enumerate(self.network.targets)
        ]
        errors = np.stack([one.errors for one in taught], axis=1)
        spread = np.stack([one.spread for one in taught], axis=1)
        stated = self.together / (spread[:, :, None] * spread[:, None, :])
        everybody = error_correlation(errors, stated)
        served = (seen.patterns & pattern) == pattern
        return _Layer(
            taught, error_correlation(errors[served], stated[served], everybody)
        )

    def _teach(self, seen: Features, column: int, target: str) -> _Taught:
        center = self.network.latent_center[column]
        spread = self.network.latent_spread[column]
        known = self.observed[:, column]
        if target == Target.Z and seen.blind_phi is None:
            known = known & ~scanned(seen)
        rows = np.flatnonzero(known)
        phi, noise = _taught_by(seen, column, target)
        noise = (noise + self.errors[:, column] ** 2) / spread**2
        lesson = (
            with_constant(phi[rows]).astype(np.float64),
            (self.latent[rows, column] - center) / spread,
            noise[rows],
        )
        precision, posterior = tuned_posterior(
            *lesson, weights=None if self.weights is None else self.weights[rows]
        )
        errors = np.full(len(seen), np.nan)
        errors[rows] = left_out_errors(*lesson, posterior)
        return _Taught(precision, posterior, errors, np.sqrt(noise) * spread)


def _patterns(network: Network, features: Features) -> dict[int, Features]:
    """Every pattern, and the objects as if no more had been measured of them."""
    everything = network.module.everything
    seen = {everything: features}
    if features.blind_phi is not None:
        seen.setdefault(everything & ALL_BUT_SPECTRUM, features.without_spectra())
    for place, pattern in enumerate(network.partial_patterns):
        seen[pattern] = features.showing(place, pattern)
    for pattern, some in seen.items():
        unseen = seen.get(pattern & ALL_BUT_SPECTRUM)
        if pattern & Modality.SPECTRUM and unseen is not None:
            seen[pattern] = replace(
                some, blind_phi=unseen.phi, blind_noise=unseen.noise
            )
    return seen


def _taught_by(
    features: Features, column: int, target: str
) -> tuple[NDArray[np.float32], Floats]:
    """φ and noise by which labels of one target teach the weights.

    Where a scan speaks for z, its label says what photometry and image would have had
    to say: it teaches those that have no spectrum.
    """
    phi, noise = features.phi, features.noise[:, column]
    blind, blind_noise = features.blind_phi, features.blind_noise
    if target == Target.Z and blind is not None and blind_noise is not None:
        spoken = scanned(features)
        phi = np.where(spoken[:, None], blind, phi)
        noise = np.where(spoken, blind_noise[:, column], noise)
    return phi, noise.astype(np.float64)
