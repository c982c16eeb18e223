"""The names of a table's columns: found whatever their case, and each of them once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from al_service.errors import InvalidInput, UnreadableFile
from al_service.survey.magnitudes import FluxUnit
from al_service.survey.photometry_columns import BANDS

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


class ColumnNames:
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


def refuse_repeated(path: Path, names: Sequence[str], *, place: str) -> None:
    """Refuse a table that names a column twice.

    Args:
        path: of the file.
        names: of its columns, in their order.
        place: where in the file the names are.

    Raises:
        UnreadableFile: with every such name and the numbers of its columns.
    """
    numbers: dict[str, list[str]] = {}
    for number, name in enumerate(names, start=1):
        numbers.setdefault(name, []).append(str(number))
    repeated = [
        f"{name!r} as columns {' and '.join(each)}"
        for name, each in numbers.items()
        if len(each) > 1
    ]
    if repeated:
        raise UnreadableFile(
            path,
            f"{place}: expected every column once, found {', '.join(repeated)}",
        )
