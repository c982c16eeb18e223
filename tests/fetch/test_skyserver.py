import pytest

from al_service.fetch.fetching import Source
from al_service.fetch.problems import FetchProblem, RefusedQuery
from al_service.fetch.sample import Sample
from al_service.fetch.skyserver import SkyServer
from tests.fetch.archives import Archives, Fault
from tests.fetch.stock import galaxy

QUICKLY = 1000.0


@pytest.fixture
def server(source: Source) -> SkyServer:
    return SkyServer(
        source.skyserver_url,
        patience=source.manners.patience,
        timeout_seconds=5.0,
        per_second=QUICKLY,
    )


def crowd(archives: Archives, n_galaxies: int) -> set[str]:
    archives.galaxies = [
        galaxy(300 + i // 640, 51700, 1 + i % 640, number=i % 90)
        for i in range(n_galaxies)
    ]
    return {row["specObjID"] for row in archives.galaxies}


def ids(server: SkyServer, sample: Sample, *, page: int) -> list[str]:
    return [row["specObjID"] for row in server.rows(sample, page=page)]


def test_the_query_goes_where_the_release_has_its_form(
    server: SkyServer, archives: Archives
) -> None:
    ids(server, Sample(release=16), page=100)

    (request,) = archives.requests
    assert request.path == "/dr16/en/tools/search/x_results.aspx"
    assert "astroquery" in request.headers["User-Agent"]


@pytest.mark.parametrize("page", [7, 10, 100])
def test_pages_of_any_size_give_every_object_once(
    server: SkyServer, archives: Archives, page: int
) -> None:
    wanted = crowd(archives, 40)

    found = ids(server, Sample(), page=page)

    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert len(archives.queries) >= 40 // page


def test_a_draw_does_not_depend_on_pages_and_a_smaller_one_is_part_of_it(
    server: SkyServer, archives: Archives
) -> None:
    crowd(archives, 60)

    twenty = ids(server, Sample(limit=20, seed=3), page=100)

    assert len(twenty) == 20
    assert ids(server, Sample(limit=20, seed=3), page=6) == twenty
    assert ids(server, Sample(limit=5, seed=3), page=100) == twenty[:5]
    assert set(ids(server, Sample(limit=20, seed=4), page=100)) != set(twenty)


def test_a_limit_beyond_the_sample_gives_the_sample(
    server: SkyServer, archives: Archives
) -> None:
    wanted = crowd(archives, 10)

    assert set(ids(server, Sample(limit=1000), page=4)) == wanted


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, headers={"Retry-After": "0"}),
        Fault(status=500, body=b"<html>Object reference not set</html>"),
        Fault(cut_after=300),
        Fault(truncate_to=300),
        Fault(cut_after=0),
    ],
    ids=["503", "500", "cut", "truncated", "no answer"],
)
def test_what_passes_is_asked_again(
    server: SkyServer, archives: Archives, fault: Fault
) -> None:
    archives.faults["sql"] = [fault]

    assert len(ids(server, Sample(), page=100)) == len(archives.galaxies)
    assert len(archives.queries) == 2


def test_a_server_that_is_nowhere_is_named_without_the_whole_query(
    source: Source,
) -> None:
    """An address with all of its SQL filled the screen."""
    nowhere = SkyServer(
        "http://127.0.0.1:1",
        patience=source.manners.patience,
        timeout_seconds=5.0,
        per_second=QUICKLY,
    )
    with pytest.raises(FetchProblem, match="refused") as refused:
        ids(nowhere, Sample(), page=100)
    assert "SkyServer at http://127.0.0.1:1 does not answer" in str(refused.value)
    assert "SELECT" not in str(refused.value)


def test_a_server_that_stays_down_is_given_up_with_its_status(
    server: SkyServer, archives: Archives
) -> None:
    archives.faults["sql"] = [Fault(status=503)] * 10

    with pytest.raises(FetchProblem, match=r"503 .*tried 4 times"):
        ids(server, Sample(), page=100)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(body=b"<html><body><h2>Invalid column name 'zz'</h2></body></html>"),
        Fault(status=500, body=b"<html>Invalid column name 'zz'</html>"),
        Fault(status=400, body=b"Invalid column name 'zz'"),
    ],
    ids=["200", "500", "400"],
)
def test_a_query_that_is_refused_is_not_repeated(
    server: SkyServer, archives: Archives, fault: Fault
) -> None:
    archives.faults["sql"] = [fault]

    with pytest.raises(RefusedQuery):
        ids(server, Sample(where="s.zz > 1"), page=100)
    assert len(archives.queries) == 1


def test_queries_keep_the_pace_that_skyserver_asks_for(
    source: Source, archives: Archives
) -> None:
    crowd(archives, 30)
    slow = SkyServer(
        source.skyserver_url,
        patience=source.manners.patience,
        timeout_seconds=5.0,
        per_second=10.0,
    )

    ids(slow, Sample(), page=10)

    began = [request.began for request in archives.requests]
    assert len(began) >= 3
    assert began[-1] - began[0] >= 0.09 * (len(began) - 1)
