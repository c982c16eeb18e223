"""Shapes in Fourier space, where they are formulas.

Profiles are those of Spergel 2010 (ApJS 191, 58): (1 + k^2 r^2)^-(1 + nu) with nu = 1/2
for exponential disks and nu = -1/2 for bulges, whose light within R is 1 - exp(-R/r):
as concentrated (r90/r50 = 3.3) as real spheroids of SDSS.

All arrays `N x V x U` are half planes: `V = BOX` frequencies along y, `U = BOX / 2 + 1`
along x; the other half is their mirror. The origin of space is the corner of the box.
"""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import ifft, irfft
from scipy.special import j1

from al_service.survey.images.stamp import SIDE

BOX: Final = 96
"""Pixels: half as wide again as the stamp, so that what wraps around its edge comes
from 64 pixels away; of small factors, for the transforms."""

U: Final = BOX // 2 + 1

EXPONENTIAL: Final = 1.0 / 1.67835
"""Scale of an exponential disk over its half-light radius."""

SPHEROID: Final = 1.0 / np.log(2.0)
"""Scale of a profile with nu = -1/2 over its half-light radius."""

Floats = NDArray[np.float32]
Complex = NDArray[np.complex64]
Numbers = NDArray[np.floating[Any]]  # Any: every precision


def ellipse(scale: Numbers, ratio: Numbers, angle: Numbers) -> Floats:
    """1 + k^2 r^2 in the frame of ellipses, `N x V x U`.

    Args:
        scale: `N` scales along the major axis, pixels.
        ratio: `N` of minor to major axis.
        angle: `N` of the major axis from x, radians.
    """
    kx, ky = frequencies()
    cos, sin = np.cos(angle), np.sin(angle)
    major, minor = scale**2, (scale * ratio) ** 2
    xx = _single(major * cos**2 + minor * sin**2)
    yy = _single(major * sin**2 + minor * cos**2)
    xy = _single(2.0 * (major - minor) * sin * cos)
    # The form is quadratic in kx, with coefficients that depend on ky: two products.
    form = xy * ky[:, None] + xx * kx
    form *= kx
    form += yy * (ky**2)[:, None] + 1
    return np.asarray(form)


def exponential(form: Floats) -> Floats:
    """The transform of exponential disks of unit flux out of `ellipse`."""
    return np.asarray(1 / (form * np.sqrt(form)))


def spheroid(form: Floats) -> Floats:
    """The transform of bulges of unit flux out of `ellipse`."""
    return np.asarray(1 / np.sqrt(form))


def points(x: Numbers, y: Numbers, flux: Numbers) -> Complex:
    """Points at `N x n` places (pixels from the origin), `N x V x U`."""
    kx, ky = frequencies()
    along_x = _phase(x[:, :, None], kx)
    along_y = _phase(y[:, :, None], ky) * flux.astype(np.float32)[:, :, None]
    return np.asarray(along_y.transpose(0, 2, 1) @ along_x)


def point_spread(sigma: Numbers, wing_share: float, wing_width: float) -> Floats:
    """Two Gaussians, summed over pixels: `N x B x V x U`.

    Args:
        sigma: `N x B` standard deviations of the narrow one, pixels.
        wing_share: of the light in the wide one.
        wing_width: its width in units of the narrow one's.
    """
    widths = sigma[:, :, None] * np.array([1.0, wing_width])
    minus_half = (-0.5 * widths**2).astype(np.float32)[..., None]
    shares = np.array([1.0 - wing_share, wing_share], dtype=np.float32)[:, None]
    kx, ky = frequencies()
    along_x = np.exp(minus_half * kx**2) * np.sinc(kx / (2.0 * np.pi))
    along_y = np.exp(minus_half * ky**2) * np.sinc(ky / (2.0 * np.pi)) * shares
    narrow_and_wide = along_y.astype(np.float32).swapaxes(2, 3)
    return np.asarray(narrow_and_wide @ along_x.astype(np.float32))


def images_of(transforms: Complex) -> Floats:
    """Stamps `N x B x H x W` with the origin in their middle.

    Args:
        transforms: `N x B x V x U`.
    """
    half = SIDE // 2
    columns = ifft(transforms, axis=2, overwrite_x=True)
    # Only rows of the stamp go through the second half of the transform.
    rows = np.concatenate([columns[:, :, -half:], columns[:, :, :half]], axis=2)
    image = irfft(rows, n=BOX, axis=3, overwrite_x=True)
    return np.concatenate([image[..., -half:], image[..., :half]], axis=3)


@cache
def frequencies() -> tuple[Floats, Floats]:
    """`U` and `V` radians per pixel."""
    kx = 2.0 * np.pi * np.fft.rfftfreq(BOX)
    ky = 2.0 * np.pi * np.fft.fftfreq(BOX)
    return kx.astype(np.float32), ky.astype(np.float32)


@cache
def aperture(radius: float) -> Floats:
    """`V x U` weights of a transform; their sum is the light within a radius (pixels).

    Parseval's theorem: the light is the product of the image with a disk.
    """
    kx, ky = frequencies()
    k = np.hypot(kx[None, :], ky[:, None]).astype(np.float64) * radius
    disk = np.full(k.shape, 0.5)
    np.divide(j1(k), k, out=disk, where=k > 0)
    twice = np.full(U, 2.0)  # what the half plane leaves out is its mirror
    twice[[0, -1]] = 1.0
    weights = 2.0 * np.pi * radius**2 * disk * twice / BOX**2
    return np.asarray(weights.astype(np.float32))


def _phase(place: Numbers, frequency: Floats) -> Complex:
    angle = (place * frequency).astype(np.float32)
    phase = np.empty(angle.shape, dtype=np.complex64)
    phase.real, phase.imag = np.cos(angle), -np.sin(angle)
    return phase


def _single(coefficients: Numbers) -> Floats:
    return coefficients.astype(np.float32)[:, None, None]
