"""A file of labels: read, checked whole, and stored a thousand at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress

from al_service.cli import label_file
from al_service.cli.home import Workplace, workplace
from al_service.cli.label_check import CHECKED, by_labeler, check_rows, naming_lines
from al_service.cli.label_file import LabelRow, is_csv, read_label_table
from al_service.errors import UnreadableFile
from al_service.rounds import campaigns, labeling
from al_service.rounds.label_matching import LabelMatch, MatchedLabels, match_labels
from al_service.survey.label_files.file_label import LabelFormat
from al_service.survey.label_files.reading import read_labels, sniff
from db.tables import Campaign

CHUNK: Final = 1000
"""Labels stored in one transaction: locks are held for moments only."""

LONG_FILE: Final = 100_000
"""Bytes of some 3000 labels, which take two seconds: above, bars show how far it is."""


@dataclass(frozen=True)
class LabelImport:
    """What is to be imported."""

    file: Path
    kind: LabelFormat
    info: Path | None
    """`gal_info_dr7` beside MPA-JHU's rates."""
    match: LabelMatch
    radius_arcsec: float
    labeler: str
    """Who says what the file does not know."""
    batch_id: int | None


@dataclass(frozen=True)
class Imported:
    """What became of a file."""

    file: Path
    campaign: str
    stored: tuple[labeling.StoredLabel, ...]
    """Every label of the file as it is stored now."""
    n_new: int
    """How many of them were not there before."""
    left_out: Mapping[str, int]
    """Reason to number of labels that the campaign cannot use."""

    def lines(self) -> Iterator[str]:
        """What a person wants to know."""
        known = len(self.stored) - self.n_new
        if known and not self.n_new:
            yield f"nothing new: {known} labels of {self.file} are in {self.campaign}"
        else:
            yield f"{self.n_new} labels of {self.file} stored in {self.campaign}"
            if known:
                yield f"{known} were there already"
        for reason, count in self.left_out.items():
            yield f"{count} left out: {reason}"


def kind_of(file: Path) -> LabelFormat:
    """The kind of a file; one that is no table we know is left to our own reader."""
    try:
        return sniff(file)
    except UnreadableFile:
        return LabelFormat.OWN


def carry_out(request: LabelImport, campaign: str, home: Path) -> Imported:
    """Store the labels of a file: none before all were found good.

    Args:
        request: which file, and how to read it.
        campaign: name or number.
        home: of the stack.

    Raises:
        BadLabelFile: with every bad row.
        InvalidInput: the file cannot be read.
    """
    with _bars(request.file) as bars:
        own = _read_own(request.file, bars) if _is_own(request) else []
        with workplace(home) as place:
            with place.sessions() as session:
                found = campaigns.find_campaign(session, campaign)
                newest = labeling.newest_label_id(session, found)
            matched = None if _is_own(request) else _match(request, found, place)
            rows = own if matched is None else _rows(matched)
            _check(request, found, rows, place, bars)
            stored = tuple(_stored(request, found, rows, place, bars))
            place.doorbell.plan(found.id)
    return Imported(
        request.file,
        found.name,
        stored,
        n_new=sum(one.id > newest for one in stored),
        left_out={} if matched is None else matched.left_out,
    )


def _is_own(request: LabelImport) -> bool:
    return request.kind is LabelFormat.OWN


def _read_own(file: Path, bars: Progress) -> list[LabelRow]:
    if not is_csv(file):
        return read_label_table(file)
    with bars.open(
        file, "r", newline="", encoding="utf-8-sig", description="reading"
    ) as lines:
        return label_file.read_labels(lines, file)


def _match(request: LabelImport, campaign: Campaign, place: Workplace) -> MatchedLabels:
    with place.sessions() as session:
        return match_labels(
            session,
            campaign,
            read_labels(request.file, request.kind, info=request.info),
            artifacts=place.settings.artifacts_folder,
            match=request.match,
            radius_arcsec=request.radius_arcsec,
        )


def _rows(matched: MatchedLabels) -> list[LabelRow]:
    return [
        LabelRow(
            int(place.rpartition(" ")[2]),
            label,
            labeler=labeler,
            noun=place.rpartition(" ")[0],
        )
        for label, place, labeler in zip(
            matched.labels, matched.places, matched.labelers, strict=True
        )
    ]


def _check(
    request: LabelImport,
    campaign: Campaign,
    rows: list[LabelRow],
    place: Workplace,
    bars: Progress,
) -> None:
    parts = bars.track(range(0, len(rows), CHECKED), description="checking")
    with place.sessions() as session:
        check_rows(
            session,
            campaign,
            request.file,
            rows,
            labeler=request.labeler,
            batch_id=request.batch_id,
            watch=parts,
        )


def _stored(
    request: LabelImport,
    campaign: Campaign,
    rows: list[LabelRow],
    place: Workplace,
    bars: Progress,
) -> list[labeling.StoredLabel]:
    stored: list[labeling.StoredLabel] = []
    chunks = _chunks(rows, request.labeler)
    for who, chunk in bars.track(chunks, description="storing"):
        with (
            naming_lines(request.file, chunk, n_stored=len(stored)),
            place.sessions.begin() as session,
        ):
            stored += labeling.tell(
                session,
                campaign,
                labeler=who,
                batch_id=request.batch_id,
                labels=[row.label for row in chunk],
                source_default=request.file.name,
            )
    return stored


def _chunks(rows: list[LabelRow], name: str) -> list[tuple[str, list[LabelRow]]]:
    """Rows that are stored in one transaction, and who says them."""
    return [
        (who, group[first : first + CHUNK])
        for who, group in by_labeler(rows, name).items()
        for first in range(0, len(group), CHUNK)
    ]


def _bars(file: Path) -> Progress:
    """Bars on standard error, gone when they are done; none for a short file."""
    return Progress(
        *Progress.get_default_columns(),
        console=Console(stderr=True),
        transient=True,
        disable=file.stat().st_size <= LONG_FILE,
    )
