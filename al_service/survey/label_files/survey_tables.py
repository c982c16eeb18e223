"""Label files that are tables: CasJobs, redrock, DESI inspections.

Data models: https://www.sdss4.org/dr17/spectro/galaxy_mpajhu/,
https://redrock.readthedocs.io, https://github.com/desihub/prospect.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import UnreadableFile
from al_service.survey.catalogs.columns import TableChunk, TableSource
from al_service.survey.catalogs.identifiers import RoundingWatch
from al_service.survey.catalogs.opening import open_table
from al_service.survey.label_files.file_label import (
    CONFIDENT,
    UNSURE,
    FileLabel,
    LabelFormat,
    fiber_names,
    positive_errors,
    usable,
)
from al_service.survey.label_files.named_columns import FIBERS, NamedColumns
from al_service.survey.targets import GOOD_ZWARNING

GALSPEC_COLUMNS: Final = {
    "sfr_tot_entropy": "sfr_entropy",
    "sfr_tot_p50": "sfr_median",
    "sfr_tot_p16": "sfr_p16",
    "sfr_tot_p2p5": "sfr_p2p5",
    "sfr_tot_p84": "sfr_p84",
    "sfr_tot_p97p5": "sfr_p97p5",
}


@dataclass(frozen=True)
class _Layout:
    """Which columns of a kind of file mean what; names in lower case."""

    targets: Mapping[str, str]
    """Column to target."""
    errors: Mapping[str, str]
    ids: Sequence[str]
    """Columns that name the object, by falling precedence."""
    required: Sequence[str]


LAYOUTS: Final[Mapping[LabelFormat, _Layout]] = {
    LabelFormat.GALSPEC: _Layout(
        {**GALSPEC_COLUMNS, "z": "z"},
        {"zerr": "z"},
        ("specobjid", "bestobjid", "objid"),
        ("sfr_tot_p50",),
    ),
    LabelFormat.REDROCK: _Layout(
        {"z": "z"}, {"zerr": "z"}, ("targetid",), ("targetid", "z", "zwarn")
    ),
    LabelFormat.DESI_VI: _Layout(
        {"vi_z": "z"}, {}, ("targetid",), ("targetid", "vi_quality", "vi_z")
    ),
    LabelFormat.SPECOBJ: _Layout(
        {"z": "z"},
        {"zerr": "z", "z_err": "z"},
        ("specobjid", "bestobjid"),
        ("z", "zwarning"),
    ),
}

_POSITIONS: Final = (
    ("ra", "dec"),
    ("plug_ra", "plug_dec"),
    ("target_ra", "target_dec"),
    ("fiber_ra", "fiber_dec"),
)
_CLASSES: Final = (("class", "subclass"), ("spectype", "subtype"))
"""What the pipeline takes the object for, kept as the label's note."""


def format_of_columns(names: Sequence[str]) -> LabelFormat | None:
    """The kind of a table of labels; None where it is none that we know."""
    there = {name.lower() for name in names}
    if "object_id" in there:
        return LabelFormat.OWN
    if {"avg", "median", "p16", "p84", "p2p5"} <= there:
        return LabelFormat.MPA_JHU
    for kind, layout in LAYOUTS.items():
        if set(layout.required) <= there:
            return kind
    return None


def read_survey_labels(path: Path, kind: LabelFormat) -> Iterator[FileLabel]:
    """Labels of a CasJobs, redrock or DESI table, one row at a time."""
    layout = LAYOUTS[kind]
    with open_table(path) as source:
        missing = [n for n in layout.required if n not in _lower(source)]
        if missing:
            raise UnreadableFile(
                path,
                f"expected columns {', '.join(layout.required)} of {kind}, found no"
                f" {', '.join(missing)}",
            )
        watches = {name: RoundingWatch(name) for name in layout.ids}
        for chunk in source.chunks(list(source.units)):
            columns = NamedColumns(path, chunk)
            yield from _chunk_labels(columns, chunk, layout, kind, watches)
        for watch in watches.values():
            watch.judge()


def _lower(source: TableSource) -> set[str]:
    return {name.lower() for name in source.units}


def _chunk_labels(
    columns: NamedColumns,
    chunk: TableChunk,
    layout: _Layout,
    kind: LabelFormat,
    watches: Mapping[str, RoundingWatch],
) -> Iterator[FileLabel]:
    values = {t: columns.numbers(n) for n, t in layout.targets.items() if n in columns}
    errors = {t: columns.numbers(n) for n, t in layout.errors.items() if n in columns}
    names = _names(columns, layout, watches)
    quality = _QUALITIES[kind](columns, len(chunk))
    if kind is LabelFormat.DESI_VI and "redrock_z" in columns:
        # An empty VI_z accepts the redshift that redrock found.
        found = columns.numbers("redrock_z")
        values["z"] = np.where(np.isnan(values["z"]), found, values["z"])
    sky = columns.first(_POSITIONS)
    place = None if sky is None else [columns.numbers(name) for name in sky]
    notes = columns.texts("vi_comment") if "vi_comment" in columns else None
    classes = columns.first(_CLASSES)
    if notes is None and classes is not None:
        kinds = zip(*(columns.texts(name) for name in classes), strict=True)
        notes = np.array([" ".join(filter(None, both)) for both in kinds], object)
    people = columns.texts("vi_scanner") if "vi_scanner" in columns else None
    for row in range(len(chunk)):
        good = usable({target: v[row] for target, v in values.items()})
        yield FileLabel(
            place=chunk.places[row],
            names=tuple(str(n[row]) for n in names if n[row] is not None),
            values=good,
            errors=positive_errors({t: e[row] for t, e in errors.items()}, good),
            quality=int(quality[row]),
            ra=None if place is None else float(place[0][row]),
            dec=None if place is None else float(place[1][row]),
            note=None if notes is None else notes[row] or None,
            labeler=None if people is None else people[row],
        )


def _names(
    columns: NamedColumns, layout: _Layout, watches: Mapping[str, RoundingWatch]
) -> list[NDArray[np.object_]]:
    names = []
    fibers = columns.first(FIBERS)
    if fibers is not None:
        names.append(fiber_names([columns.texts(name) for name in fibers]))
    for name in layout.ids:
        if name in columns:
            found = columns.texts(name)
            watches[name].see(columns.raw(name), found)
            names.append(found)
    return names


def _by_warning(*names: str) -> Callable[[NamedColumns, int], NDArray[np.int64]]:
    """Qualities by warning bits and reliability, where the file has them."""

    def quality(columns: NamedColumns, n: int) -> NDArray[np.int64]:
        trusted = np.ones(n, dtype=bool)
        for name in names:
            if name in columns:
                trusted &= np.isin(columns.numbers(name), GOOD_ZWARNING)
        if "reliable" in columns:
            trusted &= columns.numbers("reliable") == 1
        return np.where(trusted, CONFIDENT, UNSURE)

    return quality


def _redrock_quality(columns: NamedColumns, n: int) -> NDArray[np.int64]:
    """Redrock's bits are its own: nothing but 0 is harmless."""
    del n
    return np.where(columns.numbers("zwarn") == 0, CONFIDENT, UNSURE)


def _inspected_quality(columns: NamedColumns, n: int) -> NDArray[np.int64]:
    """The scale of DESI's inspectors is ours: 0 nothing there … 4 confident."""
    del n
    return np.clip(np.nan_to_num(columns.numbers("vi_quality")), 0, 4).astype(np.int64)


_QUALITIES: Final = {
    LabelFormat.GALSPEC: _by_warning("zwarning"),
    LabelFormat.SPECOBJ: _by_warning("zwarning"),
    LabelFormat.REDROCK: _redrock_quality,
    LabelFormat.DESI_VI: _inspected_quality,
}
