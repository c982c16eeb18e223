"""Star-formation rates of the MPA-JHU group: two files with the same rows.

Data model: https://wwwmpa.mpa-garching.mpg.de/SDSS/DR7/sfrs.html
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from al_service.errors import UnreadableFile
from al_service.survey.catalogs.columns import TableChunk, TableSource
from al_service.survey.catalogs.opening import open_table
from al_service.survey.label_files.file_label import (
    CONFIDENT,
    UNSURE,
    FileLabel,
    fiber_names,
    usable,
)
from al_service.survey.label_files.named_columns import FIBERS, NamedColumns
from al_service.survey.targets import GOOD_ZWARNING

MPA_JHU_COLUMNS: Final = {
    "AVG": "sfr_avg",
    "ENTROPY": "sfr_entropy",
    "MEDIAN": "sfr_median",
    "MODE": "sfr_mode",
    "P16": "sfr_p16",
    "P2P5": "sfr_p2p5",
    "P84": "sfr_p84",
    "P97P5": "sfr_p97p5",
}


def read_mpa_jhu(path: Path, info: Path | None) -> Iterator[FileLabel]:
    """Labels of `gal_totsfr_dr7`, whose rows are named by those of `gal_info_dr7`."""
    if info is None:
        raise UnreadableFile(
            path,
            "its rows have no names: give gal_info_dr7_v5_2.fit, which has the same"
            " rows, by --info",
        )
    with ExitStack() as stack:
        rates = stack.enter_context(open_table(path))
        names = stack.enter_context(open_table(info))
        if rates.n_rows != names.n_rows:
            raise UnreadableFile(
                path,
                f"expected the {names.n_rows} rows of {info}, found {rates.n_rows}",
            )
        for first, second in zip(
            rates.chunks(list(rates.units)), names.chunks(_scalars(names)), strict=True
        ):
            yield from _mpa_jhu_chunk(
                NamedColumns(path, first), NamedColumns(info, second), first
            )


def _scalars(names: TableSource) -> list[str]:
    wanted = {"plateid", "mjd", "fiberid", "ra", "dec", "z", "z_err", "z_warning"}
    return [name for name in names.units if name.lower() in wanted]


def _mpa_jhu_chunk(
    rates: NamedColumns, info: NamedColumns, chunk: TableChunk
) -> Iterator[FileLabel]:
    fibers = info.first(FIBERS)
    if fibers is None:
        raise UnreadableFile(info.path, "expected columns PLATEID, MJD, FIBERID")
    missing = [name for name in MPA_JHU_COLUMNS if name.lower() not in rates]
    if missing or len(chunk) != len(info):
        raise UnreadableFile(
            rates.path,
            f"expected {', '.join(MPA_JHU_COLUMNS)} in FITS, row by row beside"
            f" {info.path}; found no {', '.join(missing) or 'such rows'}",
        )
    values = {
        target: rates.numbers(column.lower())
        for column, target in MPA_JHU_COLUMNS.items()
    }
    if "z" in info:
        values["z"] = info.numbers("z")
    warning = info.numbers("z_warning") if "z_warning" in info else None
    flag = rates.numbers("flag") if "flag" in rates else np.zeros(len(chunk))
    ids = fiber_names([info.texts(name) for name in fibers])
    sky = [info.numbers(n) for n in ("ra", "dec")] if "ra" in info else None
    for row in range(len(chunk)):
        good = usable({target: v[row] for target, v in values.items()})
        trusted = flag[row] == 0
        if warning is not None:
            trusted &= warning[row] in GOOD_ZWARNING
        yield FileLabel(
            place=chunk.places[row],
            names=() if ids[row] is None else (ids[row],),
            values=good,
            quality=CONFIDENT if trusted else UNSURE,
            ra=None if sky is None else float(sky[0][row]),
            dec=None if sky is None else float(sky[1][row]),
        )
