import io

import pytest
from rich.console import Console

from al_service.cli.amounts import in_bytes, in_time
from al_service.cli.fetch_progress import progress_of
from al_service.fetch.plan import Plan
from al_service.fetch.transfer import Standing

PLAN = Plan(
    objects=2, spectra=2, frames=10, here=0, bytes_to_fetch=10**7, per_second=5.0
)


def shown(*standings: Standing, terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=120)
    with progress_of(console, PLAN) as progress:
        for standing in standings:
            progress(standing)
    return file.getvalue()


def test_a_terminal_sees_a_bar_with_rate_and_remaining_time() -> None:
    text = shown(Standing(files=5, received=10**6, missing=1), terminal=True)

    assert "5/12" in text
    assert "B/s" in text
    assert "left" in text
    assert "1 missing" in text


def test_a_log_gets_a_first_line_a_last_line_and_few_between() -> None:
    steps = [Standing(files=n, received=n * 1000, failed=1) for n in range(13)]

    lines = shown(*steps, terminal=False).splitlines()

    assert len(lines) == 2
    assert lines[0].startswith("fetch: 0/12 files")
    assert lines[-1].startswith("fetch: 12/12 files")
    assert "1 failed" in lines[-1]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (172_800, "172.8 kB"),
        (3e9, "3.0 GB"),
        (9e16, "90000.0 TB"),
    ],
)
def test_sizes_are_said_as_people_say_them(size: float, text: str) -> None:
    assert in_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(12.4, "12 s"), (600, "10 min"), (16_200, "4.5 h")]
)
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert in_time(seconds) == text
