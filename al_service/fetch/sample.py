"""Which galaxies: the SQL of the sample, as SkyServer understands it.

Main-sample galaxies with a spectrum, image parameters and the star-formation rates of
the MPA-JHU group (Brinchmann et al. 2004), whose tables cover SDSS-I/II plates only.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from al_service.errors import InvalidInput
from al_service.fetch.sas import BANDS, check_release

LARGEST_PAGE: Final = 25_000
"""SkyServer answers at most 500,000 rows, but an answer is held in memory: 80 MB."""

ID_COLUMNS: Final = ("specObjID", "bestObjID")
"""64-bit numbers: they leave the server as text, or a float64 will round them."""

ORDER_COLUMN: Final = "drawn"
"""Where an object stands in the draw; only there to page through the answer."""

END_COLUMN: Final = "ends"
"""Always 1, and last: a row without it was cut off."""

_PRIME: Final = 2**31 - 1
"""The largest below 2^31: the square of any remainder fits a 64-bit `bigint`."""

_OBSERVATION: Final = (
    f"((CAST(s.plate AS bigint) * 100000 + s.mjd) * 1024 + s.fiberID) % {_PRIME}"
)
"""A number below the prime for every spectrum; without the cast it overflows an int."""

_PLAIN_COLUMNS: Final = (
    "s.plate", "s.mjd", "s.fiberID", "s.run2d", "s.ra", "s.dec", "s.class", "s.z",
    "s.zErr", "s.zWarning", "s.snMedian", "p.run", "p.rerun", "p.camcol", "p.field",
    "p.rowc_r", "p.colc_r", "p.psffwhm_r", "p.petroMag_r", "e.bptclass",
    "e.sfr_tot_p2p5", "e.sfr_tot_p16", "e.sfr_tot_p50", "e.sfr_tot_p84",
    "e.sfr_tot_p97p5", "e.sfr_tot_entropy", "e.lgm_tot_p50",
)  # fmt: skip

_BAND_COLUMNS: Final = (
    "modelFlux",
    "modelFluxIvar",
    "petroFlux",
    "petroFluxIvar",
    "extinction",
)
"""Nanomaggies, their inverse variances, magnitudes: what a pool's photometry needs."""

COLUMNS: Final = (
    *ID_COLUMNS,
    *(column.partition(".")[2] for column in _PLAIN_COLUMNS),
    *(f"{column}_{band}" for column in _BAND_COLUMNS for band in BANDS),
)
"""The header of a sample's catalog."""

_JOINS: Final = (
    "SpecObj s JOIN PhotoObjAll p ON p.objID = s.bestObjID"
    " JOIN galSpecInfo i ON i.specObjID = s.specObjID"
    " JOIN galSpecExtra e ON e.specObjID = s.specObjID"
    f" CROSS APPLY (SELECT {_OBSERVATION} AS x) o"
)

_CONDITIONS: Final = (
    "s.class = 'GALAXY'",
    "(s.zWarning = 0 OR s.zWarning = 16)",  # 16, MANY_OUTLIERS, is harmless
    "i.reliable = 1",
    "s.z BETWEEN 0.005 AND 0.4",
    "p.petroMag_r - p.extinction_r BETWEEN 10 AND 17.8",
    "e.sfr_tot_p50 > -9000",  # -9999: not measured
)


@dataclass(frozen=True)
class Sample:
    """What was asked for."""

    release: int = 17
    limit: int | None = None
    """At most so many objects, drawn by `seed`; None: all there are."""
    seed: int = 0
    where: str | None = None
    """One more condition, in SQL, on s, p, i and e."""
    bands: str = BANDS
    """Frames to fetch; empty: none."""
    spectra: bool = True
    full: bool = False
    """Spectra with single exposures."""

    def __post_init__(self) -> None:
        check_release(self.release)
        if self.limit is not None and self.limit < 1:
            raise InvalidInput(f"expected a limit of 1 or more, found {self.limit}")
        unknown = set(self.bands) - set(BANDS)
        if unknown or len(set(self.bands)) < len(self.bands):
            raise InvalidInput(
                f"expected bands out of {BANDS}, each once, found {self.bands!r}"
            )
        if self.where and (";" in self.where or "--" in self.where):
            raise InvalidInput(
                f"expected one SQL condition, found a statement: {self.where!r}"
            )

    @property
    def identity(self) -> dict[str, Any]:  # JSON
        """What makes it this sample: files of two samples cannot share a folder."""
        return {
            "release": self.release,
            "limit": self.limit,
            "seed": self.seed if self.limit is not None else None,
            "where": self.where,
            "full": self.full,
            "sql": self.page_sql(LARGEST_PAGE),
        }

    def as_json(self) -> dict[str, Any]:  # JSON
        """Everything that was asked for."""
        return self.identity | {"spectra": self.spectra, "bands": self.bands}

    def page_sql(self, size: int, *, after: int | None = None) -> str:
        """The query for one page of the sample.

        Pages are cut by the order column, not by row numbers: they stay the same
        however often they are asked for.

        Args:
            size: rows at most.
            after: the order column of the last row of the page before; rows that
                share it come again, and are dropped by whoever reads them.
        """
        order = self._order()
        conditions = list(_CONDITIONS)
        if self.where:
            conditions.append(f"({self.where})")
        if after is not None:
            conditions.append(f"{order} >= {after}")
        ids = ", ".join(
            f"CAST(s.{name} AS varchar(20)) AS {name}" for name in ID_COLUMNS
        )
        per_band = (f"p.{name}_{band}" for name in _BAND_COLUMNS for band in BANDS)
        columns = ", ".join((ids, *_PLAIN_COLUMNS, *per_band))
        return (
            f"SELECT TOP {size} {order} AS {ORDER_COLUMN}, {columns},"  # noqa: S608 read-only SQL, run by the person who wrote the condition
            f" 1 AS {END_COLUMN} FROM {_JOINS}"
            f" WHERE {' AND '.join(conditions)} ORDER BY {ORDER_COLUMN}, s.specObjID"
        )

    def _order(self) -> str:
        """Every observation's place in a draw that the seed decides.

        A polynomial with random coefficients over a prime field (Wegman and Carter
        1981): any three observations are ordered independently, every seed orders
        anew, and a smaller limit draws a part of what a larger one draws.
        """
        square, linear, constant = _coefficients(
            self.seed if self.limit is not None else 0
        )
        return f"(({square} * o.x + {linear}) % {_PRIME} * o.x + {constant}) % {_PRIME}"


def _coefficients(seed: int) -> tuple[int, int, int]:
    digest = hashlib.sha256(f"al fetch:{seed}".encode()).digest()
    square, linear, constant = (
        int.from_bytes(digest[8 * i : 8 * i + 8], "big") % _PRIME for i in range(3)
    )
    return max(square, 1), linear, constant
