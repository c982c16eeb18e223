"""A small good label file of every kind."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from astropy.table import Table

from al_service.survey.label_files.file_label import LabelFormat

MARZ: Final = """# Results generated on Sun Nov 22 2026
# Vetted by: anna
#ID, Name,   RA,      DEC,    AutoZ, FinTID, FinZ,    QOP, Comment
1,   obj-a,  10.0,    -1.0,   0.10,  8,      0.10123, 4,   fine
2,   obj-b,  11.0,    -1.5,   0.20,  8,      0.20123, 2,
3,   obj-c,  12.0,    -1.5,   0.00,  1,      0.00010, 6,   star
4,   obj-d,  13.0,    -1.5,   0.90,  8,      0.90123, 1,   nothing
5,   obj-e,  14.0,    -1.5,   0.90,  8,      0.90123, 0,
"""

GALSPEC: Final = """#Table1
specObjID,reliable,zWarning,sfr_tot_p2p5,sfr_tot_p16,sfr_tot_p50,sfr_tot_p84,\
sfr_tot_p97p5,sfr_tot_entropy
299489677444933632,1,0,-1,-0.5,0,0.5,1,2.1
299489952322840576,0,0,-1,-0.5,0,0.5,1,2.1
299490227200747520,1,0,-9999,-9999,-9999,-9999,-9999,-9999
"""

DESI_VI: Final = """TARGETID,EXPID,NIGHT,TILEID,Redrock_z,VI_scanner,VI_quality,\
VI_issue,VI_z,VI_spectype,VI_comment
39627652595714901,1,20260101,5,0.7012,AB,4,,,GALAXY,
39627652595714902,1,20260101,5,0.9012,AB,2,R,1.1012,GALAXY,wrong line
"""


def rates(n: int = 4) -> Table:
    """`gal_totsfr_dr7`: quantiles around a median, and its missing code."""
    median = np.array([0.5, -99.0, 0.1, 0.2])[:n].astype(np.float32)
    table = Table({"AVG": median, "MODE": median, "MEDIAN": median})
    table["ENTROPY"] = np.array([2.5, -1.0, 2.0, 2.0], np.float32)[:n]
    for name, offset in (("P2P5", -1), ("P16", -0.5), ("P84", 0.5), ("P97P5", 1)):
        table[name] = np.where(median > -90, median + np.float32(offset), median)
    table["P16"][2] = 3.0  # above its median: the quantiles make no sense
    table["FLAG"] = np.array([0, 0, 0, 1])[:n]
    return table


def info() -> Table:
    """`gal_info_dr7`: the names of the same rows."""
    return Table(
        {
            "PLATEID": [266, 266, 267, 268],
            "MJD": [51630] * 4,
            "FIBERID": [1, 2, 3, 4],
            "RA": [10.0, 11.0, 12.0, 13.0],
            "DEC": [0.0] * 4,
            "Z": [0.05, 0.06, 0.07, 0.08],
            "Z_WARNING": [0, 16, 0, 0],
        }
    )


def spec_obj() -> Table:
    """`specObj` of the SAS."""
    return Table(
        {
            "SPECOBJID": ["299489677444933632"] * 3,
            "PLATE": [266] * 3,
            "MJD": [51630] * 3,
            "FIBERID": [1, 2, 3],
            "Z": [0.1, 0.2, 0.3],
            "Z_ERR": [1e-5, -1.0, 1e-5],
            "ZWARNING": [0, 0, 4],
            "PLUG_RA": [1.0] * 3,
            "PLUG_DEC": [2.0] * 3,
        }
    )


def redrock() -> Table:
    """Redrock's table of redshifts."""
    return Table(
        {
            "TARGETID": [39627652595714901, 39627652595714902],
            "Z": [0.7, 1.2],
            "ZERR": [1e-4, 1e-4],
            "ZWARN": [0, 16],
            "SPECTYPE": ["GALAXY", "QSO"],
        }
    )


def _fits(table: Callable[[], Table]) -> Callable[[Path], None]:
    return lambda path: table().write(path, format="fits", overwrite=True)


def _text(content: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(content) and None


WRITERS: Final[Mapping[LabelFormat, Callable[[Path], None]]] = {
    LabelFormat.MPA_JHU: _fits(rates),
    LabelFormat.GALSPEC: _text(GALSPEC),
    LabelFormat.SPECOBJ: _fits(spec_obj),
    LabelFormat.REDROCK: _fits(redrock),
    LabelFormat.MARZ: _text(MARZ),
    LabelFormat.DESI_VI: _text(DESI_VI),
}
"""Every kind but our own, which has a reader that names every bad cell."""
