"""Which column of a catalog means what: declared, or known names recognized.

A declaration is a text such as
`object_id=objid, model=modelMag_{band}, model_err=modelMagErr_{band}, unit=asinh`,
or a TOML file with the same keys.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from al_service.errors import InvalidInput
from al_service.survey.magnitudes import FluxUnit
from al_service.survey.photometry_columns import BANDS
from al_service.survey.targets import DEFAULT_TARGETS

FLUXES: Final = ("model", "petro")
ERROR_KINDS: Final = ("err", "ivar")

PER_BAND: Final = (
    *FLUXES,
    *(f"{flux}_{kind}" for flux in FLUXES for kind in ERROR_KINDS),
    "extinction",
)
"""Keys whose value names five columns by `{band}`, or one column of five numbers."""

SINGLE: Final = (
    "object_id",
    "ra",
    "dec",
    "group_id",
    "zwarning",
    "reliable",
    *DEFAULT_TARGETS,
    *(f"{target}_err" for target in DEFAULT_TARGETS),
)
"""Keys whose value names one column."""

SETTINGS: Final = ("unit", "dereddened", "missing", "spectrum_id")

KEYS: Final = (*SINGLE, *PER_BAND, *SETTINGS)

KNOWN_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "object_id": ("object_id", "objid", "bestobjid", "specobjid", "targetid"),
    "ra": ("ra", "raj2000", "target_ra", "ra_icrs"),
    "dec": ("dec", "dej2000", "decj2000", "target_dec", "de_icrs"),
    "group_id": ("group_id",),
    "zwarning": ("zwarning", "zwarn"),
    "reliable": ("reliable",),
    "z": ("z", "redshift"),
    "z_err": ("z_err", "zerr"),
    "sfr_avg": ("sfr_avg",),
    "sfr_mode": ("sfr_mode",),
    "sfr_entropy": ("sfr_entropy", "sfr_tot_entropy"),
    "sfr_median": ("sfr_median", "sfr_tot_p50"),
    "sfr_p16": ("sfr_p16", "sfr_tot_p16"),
    "sfr_p84": ("sfr_p84", "sfr_tot_p84"),
    "sfr_p2p5": ("sfr_p2p5", "sfr_tot_p2p5"),
    "sfr_p97p5": ("sfr_p97p5", "sfr_tot_p97p5"),
}
"""Names by which a column is recognized without a declaration, in lower case."""

KNOWN_FLUXES: Final = (
    # ours; SkyServer's linear fluxes and their inverse variances; its asinh magnitudes
    ("model_flux_{band}", "model_flux_error_{band}", "err", FluxUnit.NANOMAGGIES),
    ("petro_flux_{band}", "petro_flux_error_{band}", "err", FluxUnit.NANOMAGGIES),
    ("modelFlux_{band}", "modelFluxIvar_{band}", "ivar", FluxUnit.NANOMAGGIES),
    ("petroFlux_{band}", "petroFluxIvar_{band}", "ivar", FluxUnit.NANOMAGGIES),
    ("MODELFLUX", "MODELFLUX_IVAR", "ivar", FluxUnit.NANOMAGGIES),
    ("PETROFLUX", "PETROFLUX_IVAR", "ivar", FluxUnit.NANOMAGGIES),
    ("modelMag_{band}", "modelMagErr_{band}", "err", FluxUnit.ASINH),
    ("petroMag_{band}", "petroMagErr_{band}", "err", FluxUnit.ASINH),
)
"""Columns of fluxes and errors that are recognized, and their unit."""


@dataclass(frozen=True)
class ColumnMap:
    """Our names to a catalog's columns, all of which are there."""

    single: Mapping[str, str] = field(default_factory=dict)
    bands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Five columns of one number, or one column of five."""
    unit: FluxUnit = FluxUnit.NANOMAGGIES
    dereddened: bool = False
    """Fluxes are corrected for Galactic extinction already."""
    missing: tuple[float, ...] = ()
    """Further numbers that mean "not measured"."""
    spectrum_id: tuple[str, ...] = ()
    """Columns whose values, joined by `-`, name the spectrum of an object."""

    @property
    def columns(self) -> list[str]:
        """Every column that has to be read, once."""
        named = [*self.single.values(), *self.spectrum_id]
        named += [column for five in self.bands.values() for column in five]
        return list(dict.fromkeys(named))

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets whose known labels the catalog brings."""
        return tuple(target for target in DEFAULT_TARGETS if target in self.single)


def read_declaration(text: str | None) -> dict[str, str]:
    """What somebody declared of a catalog's columns.

    Args:
        text: pairs `ours=theirs` separated by commas, or the name of a TOML file.

    Raises:
        InvalidInput: it is neither, or has keys that mean nothing.
    """
    if text is None:
        return {}
    if "=" not in text:
        return _checked(_read_toml(Path(text)))
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    declared = {ours.strip(): theirs.strip() for ours, _, theirs in pairs}
    if len(declared) < len(pairs):
        raise InvalidInput(f"--columns: a key is there twice: {text!r}")
    return _checked(declared)


def _read_toml(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"--columns: expected ours=theirs,… or a TOML file: {path}: {error}"
        ) from error
    return {key: _as_text(value) for key, value in content.items()}


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _checked(declared: dict[str, str]) -> dict[str, str]:
    unknown = sorted(set(declared) - set(KEYS))
    if unknown:
        raise InvalidInput(
            f"--columns: unknown key(s) {', '.join(unknown)}: expected some of"
            f" {', '.join(KEYS)}"
        )
    empty = [key for key, value in declared.items() if not value]
    if empty:
        raise InvalidInput(f"--columns: {', '.join(empty)}: expected a column")
    return declared


def resolve(declared: Mapping[str, str], there: Sequence[str]) -> ColumnMap:
    """Find the columns of a catalog.

    Args:
        declared: what `read_declaration` returned.
        there: the catalog's columns.

    Raises:
        InvalidInput: a declared column is not there, or what is there cannot be
            understood without a declaration.
    """
    names = _Names(there)
    single = {key: names.find(declared[key], key) for key in SINGLE if key in declared}
    bands = {key: names.five(declared[key], key) for key in PER_BAND if key in declared}
    unit = _unit(declared)
    if not any(flux in declared for flux in FLUXES):
        recognized, found_unit = names.known_fluxes()
        bands |= {key: five for key, five in recognized.items() if key not in bands}
        unit = unit or found_unit
    if "extinction" not in bands:
        bands |= names.known("extinction", ("extinction_{band}", "EXTINCTION"))
    single |= names.known_single(single)
    if "ra" not in single or "dec" not in single:
        raise InvalidInput(
            "expected positions: no columns ra and dec; declare them by"
            f" --columns ra=…,dec=…; found {', '.join(there)}"
        )
    found = ColumnMap(
        single=single,
        bands=bands,
        unit=unit or FluxUnit.NANOMAGGIES,
        dereddened=_flag(declared, "dereddened"),
        missing=_missing(declared),
        spectrum_id=names.parts(declared.get("spectrum_id")),
    )
    if unit is None and any(flux in found.bands for flux in FLUXES):
        raise InvalidInput(
            "--columns: expected unit=" + "|".join(FluxUnit) + " for declared fluxes"
        )
    _check_errors(found)
    return found


class _Names:
    """A catalog's column names, found whatever their case."""

    def __init__(self, there: Sequence[str]) -> None:
        self._there = list(there)
        self._exact = set(there)
        self._lower: dict[str, list[str]] = {}
        for name in there:
            self._lower.setdefault(name.lower(), []).append(name)

    def get(self, name: str) -> str | None:
        """The column of a name; None where there is none or no single one."""
        if name in self._exact:
            return name
        alike = self._lower.get(name.lower(), [])
        return alike[0] if len(alike) == 1 else None

    def find(self, name: str, key: str) -> str:
        """The column of a name that was declared."""
        found = self.get(name)
        if found is None:
            raise InvalidInput(
                f"--columns {key}={name}: no such column; found"
                f" {', '.join(self._there)}"
            )
        return found

    def five(self, template: str, key: str) -> tuple[str, ...]:
        """Five columns by a template with `{band}`, or one column of five numbers."""
        if "{band}" not in template:
            return (self.find(template, key),)
        return tuple(self.find(template.replace("{band}", band), key) for band in BANDS)

    def parts(self, template: str | None) -> tuple[str, ...]:
        """The columns of `{plate}-{mjd}-{fiberid}`, or a single one."""
        if template is None:
            return ()
        inside = [part.strip("{} ") for part in template.split("}-{")]
        return tuple(self.find(part, "spectrum_id") for part in inside)

    def known(self, key: str, templates: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Five columns by the first template that fits; nothing where none does."""
        for template in templates:
            bands = BANDS if "{band}" in template else ("",)
            found = [self.get(template.replace("{band}", band)) for band in bands]
            five = tuple(one for one in found if one is not None)
            if len(five) == len(bands):
                return {key: five}
        return {}

    def known_fluxes(self) -> tuple[dict[str, tuple[str, ...]], FluxUnit | None]:
        """Fluxes by the names that surveys use; all in one unit."""
        found: dict[str, tuple[str, ...]] = {}
        unit: FluxUnit | None = None
        for flux_name, error_name, kind, its_unit in KNOWN_FLUXES:
            flux = "petro" if flux_name.lower().startswith("petro") else "model"
            if flux in found or unit not in (None, its_unit):
                continue
            columns = self.known(flux, (flux_name,))
            if columns:
                found |= columns
                found |= self.known(f"{flux}_{kind}", (error_name,))
                unit = its_unit
        return found, unit

    def known_single(self, declared: Mapping[str, str]) -> dict[str, str]:
        """Columns with names that everybody uses, for keys that nobody declared."""
        found = {}
        # SkyServer's ugriz are magnitudes: there, z is a band and not a redshift.
        bands = all(self.get(band) is not None for band in BANDS)
        for key, names in KNOWN_NAMES.items():
            if key in declared:
                continue
            for name in names:
                column = self.get(name)
                if column is not None and not (bands and name == "z"):
                    found[key] = column
                    break
        return found


def _unit(declared: Mapping[str, str]) -> FluxUnit | None:
    text = declared.get("unit")
    if text is None:
        return None
    try:
        return FluxUnit(text)
    except ValueError as error:
        raise InvalidInput(
            f"--columns unit={text}: expected one of {', '.join(FluxUnit)}"
        ) from error


def _flag(declared: Mapping[str, str], key: str) -> bool:
    text = declared.get(key, "no").lower()
    if text in ("yes", "true"):
        return True
    if text in ("no", "false"):
        return False
    raise InvalidInput(f"--columns {key}={text}: expected yes or no")


def _missing(declared: Mapping[str, str]) -> tuple[float, ...]:
    text = declared.get("missing", "")
    try:
        return tuple(float(part) for part in text.split(";") if part.strip())
    except ValueError as error:
        raise InvalidInput(
            f"--columns missing={text}: expected numbers separated by ;"
        ) from error


def _check_errors(found: ColumnMap) -> None:
    for flux in FLUXES:
        kinds = [kind for kind in ERROR_KINDS if f"{flux}_{kind}" in found.bands]
        if kinds and flux not in found.bands:
            raise InvalidInput(f"--columns: {flux}_{kinds[0]} without {flux}")
        if len(kinds) > 1:
            raise InvalidInput(f"--columns: {flux} has both an error and an ivar")
        if kinds == ["ivar"] and found.unit is not FluxUnit.NANOMAGGIES:
            raise InvalidInput(
                f"--columns: {flux}_ivar is in 1/nanomaggies²: with unit={found.unit}"
                f" give {flux}_err"
            )
