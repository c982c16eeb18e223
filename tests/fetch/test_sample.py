import re

import numpy as np
import pytest
from scipy.stats import kstest

from al_service.errors import InvalidInput
from al_service.fetch.sample import COLUMNS, Sample
from tests.fetch.sky_server import int_sql

PRIME = 2**31 - 1


def order_of(sample: Sample, observations: list[tuple[int, int, int]]) -> list[int]:
    """Places in the draw, as SQL Server would compute them."""
    sql = sample.page_sql(10)
    order = re.search(r"TOP \d+ (.*?) AS drawn", sql)
    x = re.search(r"CROSS APPLY \(SELECT (.*?) AS x\)", sql)
    assert order
    assert x
    places = []
    for plate, mjd, fiber in observations:
        row = {"plate": str(plate), "mjd": str(mjd), "fiberID": str(fiber)}
        row["x"] = str(int_sql(x[1], row))
        places.append(int_sql(order[1], row))
    return places


def one_plate(plate: int = 266, mjd: int = 51602) -> list[tuple[int, int, int]]:
    return [(plate, mjd, fiber) for fiber in range(1, 641)]


def test_places_in_the_draw_are_uniform_even_within_one_plate() -> None:
    places = np.array(order_of(Sample(limit=1, seed=4), one_plate()))

    assert len(set(places)) == len(places)
    assert kstest(places / PRIME, "uniform").pvalue > 0.001


def test_another_seed_draws_others_and_the_same_seed_the_same() -> None:
    observations = one_plate() + one_plate(10000, 57346)

    def first(seed: int) -> set[int]:
        places = order_of(Sample(limit=1, seed=seed), observations)
        return set(np.argsort(places)[:100].tolist())

    assert first(1) == first(1)
    # 100 of 1,280 share 7.8 with 100 others on average.
    assert len(first(1) & first(2)) < 25


def test_the_largest_observation_overflows_no_bigint() -> None:
    order_of(Sample(limit=1, seed=9), [(2**15 - 1, 65000, 1023)])


def test_the_query_asks_for_identifiers_as_text_and_for_every_column() -> None:
    sql = Sample().page_sql(7)

    assert sql.startswith("SELECT TOP 7 ")
    assert "CAST(s.specObjID AS varchar(20)) AS specObjID" in sql
    assert "CAST(s.bestObjID AS varchar(20)) AS bestObjID" in sql
    selected = sql.partition(" FROM ")[0]
    assert all(re.search(rf"\b{column}\b", selected) for column in COLUMNS)


def test_the_query_selects_the_main_sample_with_reliable_rates() -> None:
    sql = Sample(where="s.ra > 150").page_sql(7)

    for condition in (
        "s.class = 'GALAXY'",
        "(s.zWarning = 0 OR s.zWarning = 16)",
        "i.reliable = 1",
        "s.z BETWEEN 0.005 AND 0.4",
        "p.petroMag_r - p.extinction_r BETWEEN 10 AND 17.8",
        "e.sfr_tot_p50 > -9000",
        "(s.ra > 150)",
    ):
        assert condition in sql


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"release": 7}, "release from 12 to 18"),
        ({"limit": 0}, "limit of 1 or more, found 0"),
        ({"bands": "gx"}, "bands out of ugriz"),
        ({"bands": "gg"}, "each once"),
        ({"where": "1=1; DROP TABLE x"}, "one SQL condition"),
        ({"where": "1=1 -- and more"}, "one SQL condition"),
    ],
)
def test_a_sample_that_cannot_be_is_refused(
    given: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        Sample(**given)  # type: ignore[arg-type]  # parametrized


def test_a_seed_without_a_limit_makes_no_difference() -> None:
    assert Sample(seed=1).identity == Sample(seed=2).identity
    assert Sample(seed=1, limit=5).identity != Sample(seed=2, limit=5).identity
