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
from al_service.survey.catalogs.column_names import ColumnNames
from al_service.survey.magnitudes import FluxUnit
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
    names = ColumnNames(there)
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
