"""What training sees of images and spectra."""

import numpy as np
import torch

from al_service.features.augmentation import (
    JITTER,
    SHORT_REACH,
    augmented,
    shortened_spectra,
    turned_images,
)
from al_service.survey.spectra.grid import N_PIXELS


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_turning_moves_pixels_and_loses_none() -> None:
    images = torch.rand(40, 5, 64, 64, generator=seeded())
    turned = turned_images(images, seeded(1))
    one, other = (part.flatten(1).sort(dim=1).values for part in (images, turned))
    assert torch.equal(one, other)
    assert not torch.equal(images, turned)


def test_all_eight_orientations_occur_and_the_center_stays_near() -> None:
    corner = torch.zeros(400, 1, 64, 64)
    corner[:, :, 10, 20] = 1.0
    at = turned_images(corner, seeded()).flatten(1).argmax(dim=1)
    rows, columns = at // 64, at % 64
    far = torch.stack([(rows - 31.5).abs(), (columns - 31.5).abs()])
    assert (far.max(dim=0).values - 21.5).abs().max() <= JITTER
    assert (far.min(dim=0).values - 11.5).abs().max() <= JITTER
    octant = (rows < 32) * 4 + (columns < 32) * 2 + ((rows - 31.5).abs() < 16)
    assert len(set(octant.tolist())) == 8


def test_a_shortened_spectrum_is_the_same_within_the_shorter_reach() -> None:
    channels = torch.ones(200, 4, N_PIXELS)
    short = shortened_spectra(channels, seeded())
    first, last = SHORT_REACH
    assert (short[:, :, first:last] == 1.0).all()
    cut = (short[:, 0, 0] == 0.0).float().mean()
    assert 0.4 < float(cut) < 0.6


def test_columns_stay_as_they_are() -> None:
    columns = {"photometry": torch.rand(5, 7, generator=seeded())}
    made = augmented(columns, seeded())
    np.testing.assert_array_equal(made["photometry"], columns["photometry"])
