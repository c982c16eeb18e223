import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from astropy.io import fits
from astropy.table import Table

from al_service.errors import Conflict
from al_service.fetch.catalog import CATALOG
from al_service.fetch.checksums import Checksums
from al_service.fetch.download import State
from al_service.fetch.fetching import Fetch, Source
from al_service.fetch.folder import alone_in
from al_service.fetch.problems import FetchProblem, OtherSample
from al_service.fetch.sample import Sample
from al_service.survey.atomic_folder import MANIFEST, verify_files
from tests.fetch.archives import Archives, Fault

FILES_OF_ONE = 6
"""A spectrum and five frames."""


def fetch(folder: Path, source: Source, sample: Sample | None = None) -> Fetch:
    fetching = Fetch.begin(sample or Sample(), folder, source)
    fetching.have_catalog()
    fetching.have_files(fetching.plan(), lambda _: None)
    return fetching


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_sample_arrives_with_its_catalog_its_files_and_their_digests(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    fetching = fetch(tmp_path, source)

    assert len(fetching.of_state(State.FETCHED)) == FILES_OF_ONE * len(spectra)
    assert {path.name for path in spectra} <= names(tmp_path)
    for path in spectra:
        (here,) = (tmp_path / "spectra").glob(f"*/{path.name}")
        assert here.read_bytes() == path.read_bytes()
        assert here.parent.name == path.name.split("-")[1]
    assert len(list((tmp_path / "frames").glob("frame-?-??????-?-????.fits.bz2"))) == 30
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert manifest["complete"]
    verify_files(tmp_path, manifest)
    assert manifest["sample"]["sql"].startswith("SELECT TOP")
    one = next(name for name in manifest["files"] if name.startswith("spectra/"))
    assert manifest["sources"][one]["url"].startswith(archives.archive_url + "/dr17/")


def test_identifiers_of_the_catalog_are_what_skyserver_has_to_the_last_digit(
    archives: Archives, source: Source, tmp_path: Path
) -> None:
    fetch(tmp_path, source, Sample(spectra=False, bands="r"))

    table = Table.read(
        tmp_path / CATALOG, converters={"specObjID": str, "bestObjID": str}
    )
    for name in ("specObjID", "bestObjID"):
        assert set(table[name]) == {row[name] for row in archives.galaxies}


def test_a_second_run_asks_for_nothing_and_keeps_everything(
    archives: Archives, source: Source, tmp_path: Path
) -> None:
    fetch(tmp_path, source)
    archives.requests.clear()

    again = fetch(tmp_path, source)

    assert archives.requests == []
    assert len(again.of_state(State.KEPT)) == len(again.outcomes)
    assert {outcome.checked for outcome in again.outcomes} == {"sha256"}


def test_a_file_that_was_changed_since_is_fetched_again_and_no_other(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    fetch(tmp_path, source)
    (changed,) = tmp_path.rglob(spectra[0].name)
    body = bytearray(changed.read_bytes())
    body[-100] ^= 1
    changed.write_bytes(body)
    archives.requests.clear()

    again = fetch(tmp_path, source)

    assert [request.path.rpartition("/")[2] for request in archives.requests] == [
        spectra[0].name
    ]
    assert changed.read_bytes() == spectra[0].read_bytes()
    assert [outcome.file.name for outcome in again.of_state(State.FETCHED)] == [
        str(changed.relative_to(tmp_path))
    ]


def test_a_run_that_died_before_its_manifest_keeps_whole_files_and_drops_broken_ones(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    fetch(tmp_path, source)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    manifest["files"] = {CATALOG: manifest["files"][CATALOG]}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    (broken,) = tmp_path.rglob(spectra[1].name)
    broken.write_bytes(broken.read_bytes()[:5000])
    archives.requests.clear()

    again = fetch(tmp_path, source)

    assert [
        r.path.rpartition("/")[2] for r in archives.requests if r.path[-1] != "/"
    ] == [spectra[1].name]
    assert len(again.of_state(State.KEPT)) == len(again.outcomes) - 1
    assert broken.read_bytes() == spectra[1].read_bytes()
    assert set(json.loads((tmp_path / MANIFEST).read_text())["files"]) == {
        CATALOG,
        *(outcome.file.name for outcome in again.outcomes),
    }


def test_what_a_killed_run_left_of_a_file_is_continued_by_range(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    body = spectra[0].read_bytes()
    plate = spectra[0].name.split("-")[1]
    partial = tmp_path / "spectra" / plate / f"{spectra[0].name}.part"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(body[:70_000])

    fetch(tmp_path, source, Sample(bands=""))

    (asked,) = archives.asked_for(spectra[0].name)
    assert asked.range == "bytes=70000-"
    assert partial.with_suffix("").read_bytes() == body
    assert not partial.exists()


def test_a_part_that_is_complete_already_only_gets_its_name(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    plate = spectra[0].name.split("-")[1]
    partial = tmp_path / "spectra" / plate / f"{spectra[0].name}.part"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(spectra[0].read_bytes())

    fetching = fetch(tmp_path, source, Sample(bands=""))

    assert len(archives.asked_for(spectra[0].name)) == 1  # answered with 416
    assert not fetching.lacking()
    assert partial.with_suffix("").read_bytes() == spectra[0].read_bytes()


def test_another_sample_in_the_same_folder_is_refused_with_the_difference(
    source: Source, tmp_path: Path
) -> None:
    fetch(tmp_path, source, Sample(limit=2, seed=1, bands=""))

    with pytest.raises(OtherSample, match=r"limit 2, now 3.*another folder"):
        Fetch.begin(Sample(limit=3, seed=1, bands=""), tmp_path, source)


def test_frames_can_be_added_later_without_another_query(
    archives: Archives, source: Source, tmp_path: Path
) -> None:
    fetch(tmp_path, source, Sample(bands=""))
    before = len(archives.queries)

    more = fetch(tmp_path, source, Sample(bands="gr"))

    assert len(archives.queries) == before
    assert len(more.of_state(State.KEPT)) == len(archives.galaxies)
    assert len(more.of_state(State.FETCHED)) == 2 * len(archives.galaxies)


def test_a_file_that_the_archive_lacks_is_named_with_its_objects(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    (gone,) = (path for path in archives.files if path.endswith(spectra[2].name))
    del archives.files[gone]

    fetching = fetch(tmp_path, source)

    (lacking,) = fetching.lacking()
    assert lacking["state"] == "missing"
    assert lacking["file"].endswith(spectra[2].name)
    assert lacking["objects"] == [archives.galaxies[2]["specObjID"]]
    assert "404" in lacking["why"]
    assert len(archives.asked_for(spectra[2].name)) == 1  # no use asking twice
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert not manifest["complete"]
    assert manifest["lacking"] == [lacking]


def test_published_checksums_are_compared_and_a_damaged_file_comes_again(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    archives.sums = True
    archives.faults[spectra[0].name] = [Fault(flip=True)]
    careful = replace(
        source, manners=replace(source.manners, checksums=Checksums.ALWAYS)
    )

    fetching = fetch(tmp_path, careful, Sample(bands=""))

    assert {outcome.checked for outcome in fetching.outcomes} == {"sha1"}
    first, second = archives.asked_for(spectra[0].name)
    assert first.range is None
    assert second.range is None  # a damaged file is not continued
    (here,) = tmp_path.rglob(spectra[0].name)
    digest = hashlib.sha256(spectra[0].read_bytes()).hexdigest()
    assert fetching.manifest["files"][str(here.relative_to(tmp_path))] == digest


def test_folders_with_several_wanted_files_are_asked_for_checksums_and_others_not(
    archives: Archives, source: Source, tmp_path: Path
) -> None:
    archives.sums = True

    fetching = fetch(tmp_path, source)

    listings = {r.path for r in archives.requests if r.path.endswith("/")}
    assert listings
    assert all("/frames/" in path or "/0266/" in path for path in listings)
    assert len(archives.asked_for(".sha1sum")) == len(listings)
    for outcome in fetching.outcomes:
        listed = f"/sas/{outcome.file.directory}/" in listings
        assert outcome.checked == ("sha1" if listed else "structure")


def test_a_file_that_is_damaged_every_time_has_failed_and_never_gets_its_name(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    tries = source.manners.patience.tries
    archives.faults[spectra[0].name] = [Fault(truncate_to=100_000)] * tries

    fetching = fetch(tmp_path, source, Sample(bands=""))

    (lacking,) = fetching.lacking()
    assert lacking["state"] == "failed"
    assert "tried 4 times" in lacking["why"]
    assert spectra[0].name not in names(tmp_path)
    assert len(archives.asked_for(spectra[0].name)) == tries


def test_a_full_disk_is_noticed_before_the_first_file(
    source: Source, tmp_path: Path
) -> None:
    fetching = Fetch.begin(Sample(bands=""), tmp_path, source)
    fetching.have_catalog()
    plan = replace(fetching.plan(), bytes_to_fetch=10**18)

    with pytest.raises(FetchProblem, match="expected room for 1000000000200000000"):
        fetching.have_files(plan, lambda _: None)


def test_one_folder_takes_one_fetch_at_a_time(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path),
        pytest.raises(Conflict, match="another al fetch"),
        alone_in(tmp_path),
    ):
        pass


def test_fetched_spectra_and_frames_can_be_read(source: Source, tmp_path: Path) -> None:
    fetch(tmp_path, source, Sample(limit=1))

    (spectrum,) = (tmp_path / "spectra").rglob("*.fits")
    assert {"flux", "loglam", "ivar"} <= {
        name.lower() for name in fits.getdata(spectrum, 1).names
    }
    for frame in (tmp_path / "frames").iterdir():
        assert fits.getdata(frame).shape == (32, 48)
