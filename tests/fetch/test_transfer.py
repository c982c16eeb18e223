from dataclasses import replace
from pathlib import Path

import pytest

from al_service.fetch.download import Outcome, State
from al_service.fetch.fetching import Fetch, Source
from al_service.fetch.patience import Patience
from al_service.fetch.problems import FetchProblem
from al_service.fetch.sample import Sample
from al_service.fetch.transfer import Manners, Standing, transfer
from tests.fetch.archives import Archives, Fault

SPECTRA_ONLY = Sample(bands="")


def bring(
    folder: Path, source: Source, sample: Sample = SPECTRA_ONLY, **manners: object
) -> dict[str, Outcome]:
    """The files of a sample, by the last part of their names."""
    changed = replace(source.manners, **manners)  # type: ignore[arg-type]  # tests name fields
    fetching = Fetch.begin(sample, folder, replace(source, manners=changed))
    fetching.have_catalog()
    fetching.have_files(fetching.plan(), lambda _: None)
    return {
        outcome.file.name.rpartition("/")[2]: outcome for outcome in fetching.outcomes
    }


def content(folder: Path, name: str) -> bytes:
    (found,) = folder.rglob(name)
    return found.read_bytes()


def test_a_connection_that_is_cut_is_continued_where_it_broke_off(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    name = spectra[0].name
    archives.faults[name] = [Fault(cut_after=40_000), Fault(cut_after=50_000)]

    outcomes = bring(tmp_path, source)

    assert outcomes[name].state is State.FETCHED
    assert content(tmp_path, name) == spectra[0].read_bytes()
    ranges = [request.range for request in archives.asked_for(name)]
    assert ranges == [None, "bytes=40000-", "bytes=90000-"]


def test_a_connection_may_break_more_often_than_there_are_tries_if_it_moves_on(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    name = spectra[0].name
    archives.faults[name] = [Fault(cut_after=20_000)] * 6

    outcomes = bring(tmp_path, source, patience=Patience(tries=2, first_seconds=0.01))

    assert outcomes[name].state is State.FETCHED
    assert content(tmp_path, name) == spectra[0].read_bytes()


def test_a_server_without_ranges_sends_everything_and_nothing_is_doubled(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    name = spectra[0].name
    archives.faults[name] = [Fault(cut_after=40_000), Fault(no_ranges=True)]

    bring(tmp_path, source)

    assert content(tmp_path, name) == spectra[0].read_bytes()


def test_a_file_that_comes_in_parts_and_is_never_whole_is_given_up(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    """Every part was progress, so that the tries began anew for ever."""
    name = spectra[0].name
    archives.faults[name] = [Fault(cut_after=40_000), Fault(truncate_to=100_000)] * 9

    outcomes = bring(tmp_path, source, patience=Patience(tries=3, first_seconds=0.01))

    assert outcomes[name].state is State.FAILED
    assert len(archives.asked_for(name)) == 6


def test_a_file_that_was_replaced_meanwhile_is_begun_anew(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    name = spectra[0].name
    archives.faults[name] = [
        Fault(cut_after=40_000, headers={"ETag": '"first"'}),
        Fault(no_ranges=True, headers={"ETag": '"second"'}),
    ]

    bring(tmp_path, source)

    said = [request.headers.get("If-Range") for request in archives.asked_for(name)]
    assert said == [None, '"first"']
    assert content(tmp_path, name) == spectra[0].read_bytes()


def test_silence_ends_a_connection_and_the_file_is_continued(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    name = spectra[0].name
    archives.faults[name] = [Fault(cut_after=40_000, hold=True)]

    outcomes = bring(tmp_path, source, timeout_seconds=0.3)

    assert outcomes[name].state is State.FETCHED
    assert archives.asked_for(name)[1].range == "bytes=40000-"
    assert content(tmp_path, name) == spectra[0].read_bytes()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(truncate_to=100_000),
        Fault(truncate_to=2880),
        Fault(truncate_to=0),
        Fault(body=b"<html><body>Please log in</body></html>"),
        Fault(status=500),
        Fault(status=502),
    ],
    ids=["truncated", "a header only", "empty", "a web page", "500", "502"],
)
def test_what_is_not_the_file_is_asked_for_again(
    archives: Archives,
    source: Source,
    tmp_path: Path,
    spectra: list[Path],
    fault: Fault,
) -> None:
    name = spectra[0].name
    archives.faults[name] = [fault]

    outcomes = bring(tmp_path, source)

    assert outcomes[name].state is State.FETCHED
    assert content(tmp_path, name) == spectra[0].read_bytes()


def test_a_damaged_frame_is_noticed_without_any_published_checksum(
    archives: Archives, source: Source, tmp_path: Path
) -> None:
    name = next(path for path in archives.files if "frame-r" in path).rpartition("/")[2]
    archives.faults[name] = [Fault(flip=True), Fault(truncate_to=500)]

    outcomes = bring(tmp_path, source, Sample(spectra=False, bands="r"))

    assert outcomes[name].state is State.FETCHED
    assert len(archives.asked_for(name)) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_left_alone_by_everybody_for_as_long_as_it_asks(
    archives: Archives,
    source: Source,
    tmp_path: Path,
    spectra: list[Path],
    status: int,
) -> None:
    name = spectra[0].name
    archives.faults[name] = [Fault(status=status, headers={"Retry-After": "1"})]

    outcomes = bring(tmp_path, source, connections=1)

    assert {outcome.state for outcome in outcomes.values()} == {State.FETCHED}
    sql, *files = archives.requests
    refused = next(i for i, r in enumerate(files) if r.path.endswith(name))
    assert sql.path.endswith(".aspx")
    assert files[refused + 1].began - files[refused].began >= 1.0


def test_a_server_that_wants_a_long_break_ends_the_wait_for_that_file(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    name = spectra[0].name
    archives.faults[name] = [Fault(status=500, headers={"Retry-After": "86400"})]

    outcomes = bring(tmp_path, source)

    assert outcomes[name].state is State.FAILED
    assert "run the same command later" in str(outcomes[name].why)


def test_a_refusal_that_will_not_pass_is_not_repeated(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    name = spectra[0].name
    archives.faults[name] = [Fault(status=403)]

    outcomes = bring(tmp_path, source)

    assert outcomes[name].state is State.FAILED
    assert "403 Forbidden" in str(outcomes[name].why)
    assert len(archives.asked_for(name)) == 1


def test_a_server_that_nobody_answers_at_fails_every_file_by_name(
    archives: Archives, source: Source, tmp_path: Path
) -> None:
    fetching = Fetch.begin(SPECTRA_ONLY, tmp_path, source)
    fetching.have_catalog()
    dead = Fetch.begin(
        SPECTRA_ONLY, tmp_path, replace(source, archive_url="http://127.0.0.1:9/sas")
    )

    dead.have_files(dead.plan(), lambda _: None)

    assert len(dead.of_state(State.FAILED)) == len(archives.galaxies)
    assert all("ConnectError" in str(item["why"]) for item in dead.lacking())


@pytest.mark.parametrize("connections", [1, 3])
def test_as_many_requests_run_together_as_agreed_and_never_more(
    archives: Archives, source: Source, tmp_path: Path, connections: int
) -> None:
    archives.together = connections

    bring(tmp_path, source, connections=connections)

    assert archives.most_active == connections


def test_requests_start_no_faster_than_agreed(
    archives: Archives, source: Source, tmp_path: Path
) -> None:
    bring(tmp_path, source, per_second=20.0)

    began = sorted(r.began for r in archives.requests if r.path.startswith("/sas"))
    gaps = len(began) - 1
    assert gaps >= len(archives.galaxies) - 1
    assert began[-1] - began[0] >= 0.9 * gaps / 20.0


def test_progress_counts_every_file_and_every_byte(
    archives: Archives, source: Source, tmp_path: Path, spectra: list[Path]
) -> None:
    told: list[Standing] = []
    del archives.files[next(p for p in archives.files if p.endswith(spectra[1].name))]
    fetching = Fetch.begin(SPECTRA_ONLY, tmp_path, source)
    fetching.have_catalog()

    fetching.have_files(fetching.plan(), told.append)

    sizes = [path.stat().st_size for path in spectra]
    assert told[-1] == Standing(
        files=len(spectra), received=sum(sizes) - sizes[1], missing=1, failed=0
    )
    assert [one.files for one in told] == sorted(one.files for one in told)


def test_a_folder_that_cannot_be_written_to_ends_everything_with_the_reason(
    source: Source, tmp_path: Path
) -> None:
    fetching = Fetch.begin(SPECTRA_ONLY, tmp_path, source)
    fetching.have_catalog()
    (tmp_path / "spectra").write_text("in the way")

    with pytest.raises(FetchProblem, match=r"cannot write to .*spectra"):
        fetching.have_files(fetching.plan(), lambda _: None)


def test_nothing_to_do_is_done_at_once(tmp_path: Path) -> None:
    outcomes: list[Outcome] = []

    transfer(
        list,
        tmp_path,
        url="http://127.0.0.1:9",
        manners=Manners(),
        known={},
        done=outcomes.append,
        progress=lambda _: None,
    )

    assert outcomes == []
