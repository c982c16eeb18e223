"""The settings of a simulated survey: what `settings.toml` says, checked.

What each means and where it comes from stands in that file, beside its number.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from al_service.errors import InvalidInput
from al_service.survey.spectra.grid import N_PIXELS

DEFAULT_FILE: Final = Path(__file__).with_name("settings.toml")

Share = float
Positive = Annotated[float, Field(gt=0)]
PerBand = tuple[float, float, float, float, float]
PositivePerBand = tuple[Positive, Positive, Positive, Positive, Positive]
Range = tuple[float, float]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AnchorSettings(_Part):
    """How real galaxies become what is simulated."""

    template_scatter: float = Field(gt=0)
    smallest_relative_error: float = Field(gt=0)
    jitter_redshift: float = Field(ge=0)
    jitter_luminosity: float = Field(ge=0)
    jitter_populations: float = Field(ge=0)


class StarFormationSettings(_Part):
    """How many stars a galaxy forms."""

    half_forms_stars: float
    half_forms_stars_width: float = Field(gt=0)
    color: tuple[float, ...] = Field(min_length=2)
    log_specific_rate: tuple[float, ...] = Field(min_length=2)
    mass_slope: float
    scatter: float = Field(ge=0)
    passive_log_specific_rate: float
    passive_slope: float
    passive_scatter: float = Field(ge=0)

    @model_validator(mode="after")
    def _one_rate_per_color(self) -> Self:
        if len(self.color) != len(self.log_specific_rate):
            raise ValueError(
                f"expected as many rates as colors, found {len(self.log_specific_rate)}"
                f" and {len(self.color)}"
            )
        return self


class ShapeSettings(_Part):
    """What galaxies look like."""

    disk_log_radius: float
    disk_slope: float
    disk_scatter: float = Field(ge=0)
    spheroid_log_radius: float
    spheroid_slope: float
    spheroid_scatter: float = Field(ge=0)
    largest_radius_pixels: float = Field(gt=0)
    half_bulge: float
    half_bulge_width: float = Field(gt=0)
    bulge_scatter: float = Field(ge=0)
    bulge_log_size: float
    bulge_log_size_scatter: float = Field(ge=0)
    young_log_size: float
    young_log_size_scatter: float = Field(ge=0)
    disk_thickness: float = Field(gt=0, le=1)
    bulge_roundness: Range
    clump_share: Range
    most_clumps: int = Field(ge=1)
    half_young: float
    young_color: PerBand
    bulge_color: PerBand
    neighbors: float = Field(ge=0)
    neighbor_slope: float = Field(gt=0)
    faintest_neighbor: float
    brightest_neighbor: float


class ImageSettings(_Part):
    """What the camera and the sky do."""

    seeing: PositivePerBand
    seeing_scatter: float = Field(ge=0)
    wing_share: Share = Field(ge=0, le=1)
    wing_width: float = Field(gt=0)
    sky_noise: PositivePerBand
    sky_noise_scatter: float = Field(ge=0)
    noise_correlation: float = Field(ge=0, lt=0.5)
    sky_residual: float = Field(ge=0)
    electrons_per_nanomaggie: PositivePerBand
    centering: float = Field(ge=0)


class PhotometrySettings(_Part):
    """What the catalog measures."""

    petrosian_bulge: Share = Field(gt=0, le=1)
    petrosian_disk: Share = Field(gt=0, le=1)


class LineSettings(_Part):
    """What ionized gas sends out."""

    log_halpha_per_rate: float
    dust_scatter: float = Field(ge=0)
    dust_exponent: float
    metallicity_scatter: float = Field(ge=0)
    ratio_scatter: float = Field(ge=0)
    old_equivalent_width: float = Field(ge=0)
    old_equivalent_width_scatter: float = Field(ge=0)
    active_share: Share = Field(ge=0, le=1)
    active_excess: float
    instrument_velocity: float = Field(gt=0)
    gas_velocity: float = Field(gt=0)
    gas_velocity_scatter: float = Field(ge=0)


class SpectrumSettings(_Part):
    """What fiber, spectrograph and sky do."""

    fiber_arcsec: float = Field(gt=0)
    boss_share: Share = Field(ge=0, le=1)
    sdss_pixels: tuple[int, int]
    boss_pixels: tuple[int, int]
    coverage_scatter: float = Field(ge=0)
    sky_noise: tuple[Positive, Positive]
    sky_noise_scatter: float = Field(ge=0)
    wavelength: tuple[Positive, ...]
    sdss_noise: tuple[Positive, ...]
    boss_noise: tuple[Positive, ...]
    sky_lines: tuple[tuple[Positive, Positive, Positive], ...]
    sky_line_width: float = Field(gt=0)
    noise_over_stated: float = Field(gt=0)
    noise_over_stated_in_lines: float = Field(gt=0)
    noise_correlation: float = Field(ge=0, lt=0.5)
    smooth_share: Share = Field(ge=0, lt=1)
    own_noise: float = Field(ge=0)
    scale_error: float = Field(ge=0)
    masked_runs: float = Field(ge=0)
    masked_length: float = Field(ge=1)
    structure: tuple[float, ...]
    structure_pixels: tuple[int, ...]
    faint_share: Share = Field(ge=0, le=1)
    faint_limit: float = Field(gt=0)
    faint_lowest: float = Field(gt=0)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        curves = [self.wavelength, self.sdss_noise, self.boss_noise]
        if len({len(curve) for curve in curves}) > 1:
            raise ValueError("expected as many sdss_noise and boss_noise as wavelength")
        if len(self.structure) != len(self.structure_pixels):
            raise ValueError("expected as many structure_pixels as structure")
        for first, last in (self.sdss_pixels, self.boss_pixels):
            if not 0 <= first < last < N_PIXELS:
                raise ValueError(
                    "sdss_pixels, boss_pixels: expected first and last of"
                    f" {N_PIXELS} pixels, found {first} and {last}"
                )
        if self.faint_lowest >= self.faint_limit:
            raise ValueError(
                f"expected faint_lowest below faint_limit = {self.faint_limit},"
                f" found {self.faint_lowest}"
            )
        return self


class LabelSettings(_Part):
    """What the catalogs of redshifts and star formation say."""

    width_star_forming: float = Field(gt=0)
    width_passive: float = Field(gt=0)
    width_scatter: float = Field(ge=0)
    skewness_star_forming: float
    skewness_passive: float
    skewness_scatter: float = Field(ge=0)
    width_without_lines: float = Field(ge=0)
    bin: float = Field(gt=0)
    redshift_error: float = Field(gt=0)
    redshift_error_floor: float = Field(gt=0)
    noise_over_width_star_forming: float = Field(ge=0)
    noise_over_width_passive: float = Field(ge=0)
    wrong_share: Share = Field(ge=0, le=1)
    wrong_offset: Range


class GapSettings(_Part):
    """What is missing, and what is no galaxy."""

    without_image: Share = Field(ge=0, le=1)
    without_spectrum: Share = Field(ge=0, le=1)
    without_photometry: Share = Field(ge=0, le=1)
    without_star_formation: Share = Field(ge=0, le=1)
    without_labels: Share = Field(ge=0, le=1)
    junk: Share = Field(ge=0, le=1)


class SimulationSettings(_Part):
    """Every number of a simulated survey."""

    version: int = Field(ge=1)
    anchors: AnchorSettings
    star_formation: StarFormationSettings
    shapes: ShapeSettings
    images: ImageSettings
    photometry: PhotometrySettings
    lines: LineSettings
    spectra: SpectrumSettings
    labels: LabelSettings
    gaps: GapSettings

    def with_changes(
        self,
        changes: Mapping[str, Mapping[str, Any]],  # Any: TOML values
    ) -> Self:
        """The same with some numbers replaced.

        Args:
            changes: section to setting to value, as in the file.

        Raises:
            InvalidInput: there is no such setting, or its value makes no sense.
        """
        parts = self.model_dump()
        for section, values in changes.items():
            if section not in parts or not isinstance(values, Mapping):
                raise InvalidInput(
                    f"settings: expected a section of {', '.join(parts)},"
                    f" found {section!r}"
                )
            parts[section] = {**parts[section], **values}
        try:
            return type(self).model_validate(parts)
        except ValidationError as error:
            raise InvalidInput(f"settings: {_named(error)}") from error


@cache
def default_settings() -> SimulationSettings:
    """The frozen settings that come with the package."""
    return SimulationSettings.model_validate(tomllib.loads(DEFAULT_FILE.read_text()))


def read_settings(path: Path) -> SimulationSettings:
    """The default settings with those of a file in their place.

    Args:
        path: TOML, any subset of the sections and settings of the default file.

    Raises:
        InvalidInput: the file is no TOML, names what does not exist, or was written
            for another version of the default file.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}: expected TOML: {error}") from error
    default = default_settings()
    if (version := given.pop("version", default.version)) != default.version:
        raise InvalidInput(
            f"{path}: expected settings of version {default.version}, found {version!r}"
        )
    return default.with_changes(given)


def _named(error: ValidationError) -> str:
    """Every setting that is wrong, with what came."""
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
        # A whole section says too much.
        + ("" if isinstance(one["input"], Mapping) else f", found {one['input']!r}")
        for one in error.errors()
    )
