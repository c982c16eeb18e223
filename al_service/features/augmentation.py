"""What an image or a spectrum could have been as well: seen while training only.

The sky has no preferred direction and stamps are centered to a pixel or two; a
spectrograph with a shorter reach shows a part of the same spectrum.
"""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from al_service.features.preparation import IMAGE, PIXELS_OF, SPECTRUM
from al_service.survey.spectra.grid import N_PIXELS

JITTER: Final = 3
"""Largest shift in pixels along each axis."""

SHORT_REACH: Final = (253, 4105)
"""Pixels of the grid that the spectrographs of SDSS-I see; those of BOSS see all."""

SHORTENED: Final = 0.5
"""How often a spectrum is cut to that reach, so that its ends do not tell what
observed it: only objects of SDSS-I have catalog star-formation rates."""

_DIHEDRAL: Final = 8


def augmented(
    columns: Mapping[str, Tensor], generator: torch.Generator
) -> dict[str, Tensor]:
    """Turned, mirrored and shifted images, shortened spectra; all else as it is.

    Args:
        columns: columns and pixels by name, `N x ...`.
        generator: of all chance.
    """
    made = dict(columns)
    pixels, channels = PIXELS_OF[IMAGE], PIXELS_OF[SPECTRUM]
    if pixels in made:
        made[pixels] = turned_images(made[pixels], generator)
    if channels in made:
        made[channels] = shortened_spectra(made[channels], generator)
    return made


def turned_images(images: Tensor, generator: torch.Generator) -> Tensor:
    """`N x B x H x W` images in the eight orientations, shifted by `JITTER` at most.

    A random eighth of the images shares orientation and shift.
    """
    turned = torch.empty_like(images)
    kind = torch.randint(_DIHEDRAL, (len(images),), generator=generator)
    shifts = torch.randint(-JITTER, JITTER + 1, (_DIHEDRAL, 2), generator=generator)
    for one, shift in enumerate(shifts.tolist()):
        rows = (kind == one).nonzero().squeeze(dim=1)
        some = torch.rot90(images[rows], one % 4, dims=(2, 3))
        if one >= _DIHEDRAL // 2:
            some = some.flip(3)
        turned[rows] = torch.roll(some, shift, dims=(2, 3))
    return turned


def shortened_spectra(channels: Tensor, generator: torch.Generator) -> Tensor:
    """`N x C x L` spectra, some of them cut to the reach of SDSS-I."""
    short = torch.rand(len(channels), generator=generator) < SHORTENED
    seen = torch.ones(len(channels), 1, N_PIXELS)
    first, last = SHORT_REACH
    seen[short, :, :first] = 0.0
    seen[short, :, last:] = 0.0
    return channels * seen
