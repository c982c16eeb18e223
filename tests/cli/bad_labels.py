"""Every kind of bad label file that `al label import` has to refuse, and the words."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from astropy.table import Table

from tests.survey.label_files.files import GALSPEC, MARZ, info, rates, redrock, spec_obj


@dataclass(frozen=True)
class Galaxies:
    """Names of the pool that a file may speak of."""

    pool: list[str]
    """May be labeled."""
    examiner: str
    """Held out."""


Write = Callable[[Path, Galaxies], list[object] | None]


@dataclass(frozen=True)
class BadLabels:
    """A kind of bad label file."""

    name: str
    write: Write
    """Writes the file, and what the command is told further."""
    message: str
    """Regular expression of what the refusal has to say."""


CASES: Final[list[BadLabels]] = []


def bad(message: str) -> Callable[[Write], Write]:
    """Enter a case under its function's name."""

    def enter(write: Write) -> Write:
        CASES.append(BadLabels(write.__name__, write, message))
        return write

    return enter


def csv(name: str, message: str, content: str) -> None:
    """Enter a CSV in which `A` and `B` stand for galaxies and `H` for a held-out one.

    Args:
        name: of the case.
        message: what the refusal has to say.
        content: lines separated by `|`.
    """

    def write(path: Path, sky: Galaxies) -> None:
        names = {"A": sky.pool[0], "B": sky.pool[1], "H": sky.examiner}
        text = content.replace("|", "\n") + "\n"
        for letter, found in names.items():
            text = text.replace(f"\n{letter},", f"\n{found},")
        path.write_text(text)

    CASES.append(BadLabels(name, write, message))


# --- our own columns: values ----------------------------------------------------------

csv("a redshift that is a word", ":2: z: expected a number", "object_id,z|A,far")
csv(
    "a redshift beyond all",
    r":2: values.z: z: expected .*\[-0.01, 8",
    "object_id,z|A,9",
)
csv("an infinite redshift", ":2: values.z: z: expected a value", "object_id,z|A,inf")
csv(
    "a rate outside of its limits",
    r"values.sfr_avg: sfr_avg: expected a value in \[-6.0, 4.0\], found 7.0",
    "object_id,sfr_avg|A,7",
)
csv(
    "quantiles that do not ascend",
    "sfr_p84: quantiles must ascend, found 0.1 below sfr_p16 = 0.5",
    "object_id,sfr_p16,sfr_p84|A,0.5,0.1",
)
csv(
    "an error below 0",
    ":2: errors.z: expected a positive standard deviation, found -1",
    "object_id,z,z_err|A,0.1,-1",
)
csv(
    "an error that is a word",
    ":2: z_err: expected a number, found 'small'",
    "object_id,z,z_err|A,0.1,small",
)
csv("a quality of 7", ":2: quality: expected 0 to 4", "object_id,z,quality|A,0.1,7")
csv(
    "a quality that is a word",
    ":2: quality: expected a whole number, found 'good'",
    "object_id,z,quality|A,0.1,good",
)
csv(
    "a confident label without a value",
    ":2: values: expected at least one value, found none",
    "object_id,z,quality|A,-9999,4",
)
csv(
    "a target that the campaign has not",
    "sfr_mode: not a target of this campaign: expected z, sfr_avg",
    "object_id,sfr_mode|A,0.5",
)
csv(
    "a correction of nothing",
    ":2: supersedes: ",
    "object_id,z,supersedes|A,0.1,12345",
)
csv(
    "a correction of a number without end",
    ":2: supersedes: ",
    "object_id,z,supersedes|A,0.1,99999999999999999999999",
)
csv(
    "a note with a character that no text has",
    ":2: note: expected text without NUL",
    "object_id,z,note|A,0.1,a\0b",
)
csv(
    "an inspector with a character that no text has",
    ":2: labeler: expected text without NUL",
    "object_id,z,labeler|A,0.1,a\0b",
)

# --- our own columns: objects ---------------------------------------------------------

csv("an unknown object", ":2: object_id: 'M31' is not in the", "object_id,z|M31,0.1")
csv("an object that is held out", ":2: object_id: .* is held out", "object_id,z|H,0.1")
csv("an object twice", ":3: object_id: .* is on line 2 as well", "object_id,z|A,1|A,1")
csv("a row without an object", ":2: object_id: expected an id", "object_id,z|,0.1")
csv(
    "an identifier with a character that no text has",
    ":2: object_id: expected text without NUL",
    "object_id,z|a\0b,0.1",
)

# --- our own columns: files -----------------------------------------------------------

csv("a column that nobody knows", "expected a first line.*mass", "object_id,mass|A,1")
csv(
    "a column twice",
    "every column once, found 'z' as columns 2 and 3",
    "object_id,z,z|A,1,1",
)
csv("semicolons", "separated by semicolons, write it with commas", "object_id;z|A;0.1")
csv("no row", "expected at least one row, found none", "object_id,z")
csv("more cells than columns", ":2: more cells than columns", "object_id,z|A,0.1,0.2")
csv("a table of something else", "expected a first line with", "name,mass|A,0.1")
csv("an open quote", "expected CSV in UTF-8", 'object_id,z|A,"0.1')


@bad("expected a first line with object_id")
def an_empty_file(path: Path, sky: Galaxies) -> None:
    del sky
    path.touch()


@bad("expected CSV in UTF-8")
def text_in_latin_1(path: Path, sky: Galaxies) -> None:
    path.write_bytes(f"object_id,z,note\n{sky.pool[0]},0.1,é\n".encode("latin-1"))


@bad("decompresses to more than")
def a_gzip_bomb(path: Path, sky: Galaxies) -> None:
    del sky
    path.write_bytes(gzip.compress(b"0" * 80_000_000))


@bad("expected a whole compressed file")
def a_gzip_that_was_cut_off(path: Path, sky: Galaxies) -> None:
    text = "object_id,z\n" + f"{sky.pool[0]},0.1\n" * 5000
    path.write_bytes(gzip.compress(text.encode())[:-20])


@bad("truncated|expected a FITS table")
def a_fits_table_that_was_cut_off(path: Path, sky: Galaxies) -> None:
    Table({"object_id": [sky.pool[0]] * 900, "z": [0.1] * 900}).write(
        path, format="fits"
    )
    path.write_bytes(path.read_bytes()[:7000])


@bad("row 2: object_id: .* is on row 1 as well")
def an_object_twice_in_a_table(path: Path, sky: Galaxies) -> None:
    Table({"object_id": [sky.pool[0]] * 2, "z": [0.1] * 2}).write(path, format="fits")


@bad("column z: expected one value per row, found 2 of them")
def two_redshifts_in_one_cell(path: Path, sky: Galaxies) -> None:
    table = Table({"object_id": sky.pool[:2], "z": [[0.1, 0.2], [0.3, 0.4]]})
    table.write(path, format="fits")


@bad("no batch named 77")
def a_batch_that_is_not_there(path: Path, sky: Galaxies) -> list[object]:
    path.write_text(f"object_id,z\n{sky.pool[0]},0.1\n")
    return ["--batch", 77]


# --- surveys and inspectors -----------------------------------------------------------


@bad("its rows have no names: give gal_info_dr7")
def rates_without_their_names(path: Path, sky: Galaxies) -> None:
    del sky
    rates().write(path, format="fits")


@bad("expected the 4 rows of .*, found 3")
def rates_beside_names_of_other_rows(path: Path, sky: Galaxies) -> list[object]:
    del sky
    rates(3).write(path, format="fits")
    info().write(path.with_name("info.fits"))
    return ["--info", path.with_name("info.fits")]


@bad("expected AVG, ENTROPY.*found no ENTROPY, MODE")
def rates_without_a_mode(path: Path, sky: Galaxies) -> list[object]:
    del sky
    table = rates()
    table.remove_columns(["MODE", "ENTROPY"])
    table.write(path, format="fits")
    info().write(path.with_name("info.fits"))
    return ["--info", path.with_name("info.fits")]


@bad("expected columns PLATEID, MJD, FIBERID")
def names_that_are_none(path: Path, sky: Galaxies) -> list[object]:
    del sky
    rates().write(path, format="fits")
    rates().write(path.with_name("info.fits"))
    return ["--info", path.with_name("info.fits")]


@bad("expected columns targetid, z, zwarn of redrock, found no targetid")
def another_format_than_was_named(path: Path, sky: Galaxies) -> list[object]:
    del sky
    spec_obj().write(path, format="fits")
    return ["--format", "redrock"]


@bad("expected numbers beyond 2|found floating-point numbers beyond 2.53")
def target_ids_that_are_floats(path: Path, sky: Galaxies) -> None:
    del sky
    table = redrock()
    table["TARGETID"] = [3.9627652595714901e16, 3.9627652595714902e16]
    table.write(path, format="fits")


@bad("row 1: expected ra and dec to match by")
def positions_to_match_by_that_are_not_there(path: Path, sky: Galaxies) -> list[object]:
    del sky
    redrock().write(path, format="fits")
    return ["--match", "position"]


@bad("line 3: zwarning: expected a number")
def a_warning_that_is_a_word(path: Path, sky: Galaxies) -> None:
    del sky
    path.write_text(GALSPEC.replace("7444933632,1,0,", "7444933632,1,none at all,"))


@bad("line 9: expected 15 cells, found 2")
def a_short_line_of_marz(path: Path, sky: Galaxies) -> None:
    del sky
    path.write_text(MARZ + "6, short\n")


@bad("line 4: FinZ: expected a number, found 'high'")
def a_redshift_of_marz_that_is_a_word(path: Path, sky: Galaxies) -> None:
    del sky
    path.write_text(MARZ.replace("0.10123", "high"))


@bad("expected a line of names with Name, FinZ, QOP, found none")
def marz_results_without_names(path: Path, sky: Galaxies) -> list[object]:
    del sky
    path.write_text("1, obj-a, 10.0\n")
    return ["--format", "marz"]
