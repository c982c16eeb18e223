"""A label file of any kind, told apart by what is in it."""

from collections.abc import Iterator
from pathlib import Path

from al_service.errors import InvalidInput, UnreadableFile
from al_service.survey.catalogs.opening import open_table
from al_service.survey.label_files.file_label import FileLabel, LabelFormat
from al_service.survey.label_files.marz import is_marz, read_marz
from al_service.survey.label_files.mpa_jhu import read_mpa_jhu
from al_service.survey.label_files.survey_tables import (
    format_of_columns,
    read_survey_labels,
)


def sniff(path: Path) -> LabelFormat:
    """The kind of a label file.

    Raises:
        UnreadableFile: it is none that we know.
    """
    if is_marz(path):
        return LabelFormat.MARZ
    with open_table(path) as source:
        names = list(source.units)
    found = format_of_columns(names)
    if found is None:
        raise UnreadableFile(
            path,
            "expected labels: a first line with object_id, or the columns of"
            f" {', '.join(LabelFormat)}; found {', '.join(names[:20])}",
        )
    return found


def read_labels(
    path: Path, kind: LabelFormat, *, info: Path | None = None
) -> Iterator[FileLabel]:
    """Every label of a survey's or an inspector's file.

    Args:
        path: the file.
        kind: any but our own, which has a reader that names every bad cell.
        info: `gal_info_dr7` beside MPA-JHU's rates.

    Raises:
        UnreadableFile: it cannot be read, with the place.
    """
    try:
        match kind:
            case LabelFormat.MARZ:
                yield from read_marz(path)
            case LabelFormat.MPA_JHU:
                yield from read_mpa_jhu(path, info)
            case _:
                yield from read_survey_labels(path, kind)
    except UnreadableFile:
        raise
    except InvalidInput as error:
        raise UnreadableFile(path, str(error)) from error
