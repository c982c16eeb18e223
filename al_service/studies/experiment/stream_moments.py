"""What the networks of one system say, be they one, several, or drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_service.features.preparation import SPECTRUM
from al_service.models.consistent_dropout import draw_masks, settle_masks
from al_service.models.streams import Said, StreamNetwork
from al_service.posterior.stream_data import StreamData
from al_service.posterior.variational import WeightGuide, passed_with
from al_service.studies.experiment.stream_reading import Tensors

Floats = NDArray[np.float64]


class Uncertainty(StrEnum):
    """What is known of the weights."""

    POINT = "point"  # nothing: one network
    ENSEMBLE = "ensemble"  # several networks from other starts
    DROPOUT = "dropout"  # networks with parts left out (Gal & Ghahramani 2016)
    LAPLACE = "laplace"  # the last layer's curvature
    VARIATIONAL = "variational"  # a Gaussian per weight


@dataclass(frozen=True)
class Moments:
    """What is said of `N` objects, labels of unit spread."""

    mean: Floats
    """`N x T`."""
    epistemic: Floats
    """`N x T` variances owed to the weights."""
    noise: Floats
    """`N x T` variances of the labels."""
    blind_mean: Floats
    """`N x T` by the first network as if nobody had seen a spectrum; `N x 0` where
    nothing but the spectrum is read."""
    blind_noise: Floats
    """Likewise."""


@dataclass(frozen=True)
class Networks:
    """One network or several, and what is known of their weights."""

    each: tuple[StreamNetwork, ...]
    uncertainty: Uncertainty
    draws: int
    """Networks that are drawn where a posterior is sampled."""
    factors: Floats | None = None
    """`T x D x D` of the last layer's covariance, for `LAPLACE`."""
    guide: WeightGuide | None = None
    """For `VARIATIONAL`."""

    @property
    def n_parameters(self) -> int:
        """Learned numbers of all networks; of a guide, places and widths."""
        weights = sum(w.numel() for one in self.each for w in one.parameters())
        return weights * (2 if self.guide is not None else 1)

    @torch.no_grad()
    def features(self, read: Tensors) -> NDArray[np.float32]:
        """What the head of the first network reads."""
        said: Said = self.each[0](*read)
        return said.features.numpy()

    @torch.no_grad()
    def moments(self, read: Tensors, blind: Tensors | None) -> Moments:
        """Mean and both variances over the networks that there are or are drawn.

        Args:
            read: columns and pixels of `N` objects, and what each has.
            blind: the same without spectra; None: nobody asks.
        """
        columns, present = read
        seen = self.each[0].look(columns, present)
        said = list(self._said(read, seen))
        means = torch.stack([one.mean for one in said]).double().numpy()  # S x N x T
        noises = torch.stack([one.log_noise for one in said]).double().exp().numpy()
        epistemic = means.var(axis=0)
        if self.factors is not None:
            features = said[0].features.numpy()
            design = np.column_stack([features, np.ones(len(features))])
            epistemic = np.stack(
                [((design @ factor) ** 2).sum(axis=1) for factor in self.factors],
                axis=1,
            )
        unseen = self._blind(seen, blind)
        return Moments(
            means.mean(axis=0),
            epistemic,
            noises.mean(axis=0),
            unseen.mean.double().numpy(),
            unseen.log_noise.double().exp().numpy(),
        )

    def _said(self, read: Tensors, seen: dict[str, Tensor]) -> Iterator[Said]:
        """What each network says; the same networks for every object."""
        columns, present = read
        first, *others = self.each
        if self.uncertainty is Uncertainty.DROPOUT:
            for draw in range(self.draws):
                draw_masks(first, torch.Generator().manual_seed(draw))
                yield first.join(first.finish(seen, present))
            settle_masks(first)
        elif self.guide is not None:
            none = torch.empty(0)
            data = StreamData(columns, present, none, none, none)
            for draw in range(self.draws):
                generator = torch.Generator().manual_seed(draw)
                yield passed_with(first, self.guide.draw(generator), data)
        else:
            yield first.join(first.finish(seen, present))
            for network in others:
                yield network(columns, present)

    def _blind(self, seen: dict[str, Tensor], blind: Tensors | None) -> Said:
        first = self.each[0]
        if blind is None:
            nothing = torch.empty(0, 0)
            return Said(nothing, nothing, nothing, {})
        columns, present = blind
        if SPECTRUM not in present:  # one stream of everything: looked at anew
            said: Said = first(columns, present)
            return said
        left = {name: part for name, part in seen.items() if name != SPECTRUM}
        return first.join(first.finish(left, present))
