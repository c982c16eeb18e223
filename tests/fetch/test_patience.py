import asyncio
from datetime import UTC, datetime

import pytest

from al_service.errors import InvalidInput
from al_service.fetch.patience import Pace, Patience, retry_after_seconds
from al_service.fetch.problems import FetchProblem, PassingProblem

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_waits_double_up_to_a_limit() -> None:
    patience = Patience(tries=9, first_seconds=1.0, longest_seconds=10.0)
    problem = PassingProblem("cut")

    waits = [patience.seconds_before(retry, problem) for retry in range(1, 7)]

    assert waits == [1, 2, 4, 8, 10, 10]


def test_the_servers_wish_counts_where_it_is_longer() -> None:
    patience = Patience(first_seconds=2.0)

    assert patience.seconds_before(1, PassingProblem("busy", 30.0)) == 30.0
    assert patience.seconds_before(1, PassingProblem("busy", 1.0)) == 2.0


def test_patience_ends_after_the_agreed_tries() -> None:
    patience = Patience(tries=3)

    patience.seconds_before(2, PassingProblem("cut"))
    with pytest.raises(FetchProblem, match=r"cut \(tried 3 times\)"):
        patience.seconds_before(3, PassingProblem("cut"))


def test_a_server_that_wants_hours_ends_the_patience() -> None:
    with pytest.raises(FetchProblem, match="left alone for 7200 s"):
        Patience().seconds_before(1, PassingProblem("down", 7200.0))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after_seconds(header, NOW) == seconds


def test_requests_get_moments_that_are_a_gap_apart() -> None:
    now = 100.0
    pace = Pace(4.0, clock=lambda: now)

    assert [pace.reserve() for _ in range(4)] == [0.0, 0.25, 0.5, 0.75]
    now = 200.0
    assert pace.reserve() == 0.0  # silence is not saved up for a burst
    assert pace.reserve() == 0.25


def test_after_a_break_requests_are_a_gap_apart_again() -> None:
    pace = Pace(4.0, clock=lambda: 100.0)

    pace.hold(10.0)

    assert [pace.reserve() for _ in range(2)] == [10.0, 10.25]


def test_who_waits_when_a_break_begins_waits_for_its_end() -> None:
    async def turns() -> list[float]:
        loop = asyncio.get_running_loop()
        pace = Pace(20.0, clock=loop.time)
        began = loop.time()
        ends: list[float] = []

        async def turn() -> None:
            await pace.turn()
            ends.append(loop.time() - began)

        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(turn())
            for _ in range(3):  # the first has its turn, the others wait
                await asyncio.sleep(0)
            pace.hold(0.3)
        return sorted(ends)

    first, *others = asyncio.run(turns())

    assert first < 0.25
    assert all(end >= 0.299 for end in others)
    assert others[1] - others[0] >= 0.04


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_pace_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InvalidInput, match="positive number"):
        Pace(rate)
