"""Asking SkyServer for the sample, page by page, through `astroquery.sdss`.

`astroquery` knows the addresses of every release and how to put a query. Its own
parsing is left aside: it takes identifiers for numbers and error pages for tables with
one column (its issues 2673, 2684, 2706). Its cache is off: a sample that is fetched
anew is asked for anew. It holds an answer in memory, which is why we ask in pages.
"""

import logging
import re
import time
from collections.abc import Iterator
from typing import Final

import requests
from astroquery.sdss import SDSSClass, conf

from al_service.fetch.answers import CatalogRow, blames_sql, read_answer, refusal
from al_service.fetch.patience import Pace, Patience, retry_after_seconds
from al_service.fetch.problems import FetchProblem, PassingProblem, RefusedQuery
from al_service.fetch.sample import LARGEST_PAGE, Sample

QUERIES_PER_SECOND: Final = 1.0
"""SkyServer allows 60 a minute (https://skyserver.sdss.org, "Query limits")."""

PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes after which another try may help."""

_log = logging.getLogger(__name__)


class SkyServer:
    """A client for one address."""

    def __init__(
        self,
        url: str,
        *,
        patience: Patience,
        timeout_seconds: float,
        per_second: float = QUERIES_PER_SECOND,
    ) -> None:
        self._url = url.rstrip("/")
        self._patience = patience
        self._timeout = timeout_seconds
        self._pace = Pace(per_second)
        self._sdss = SDSSClass()

    def rows(self, sample: Sample, *, page: int = LARGEST_PAGE) -> Iterator[CatalogRow]:
        """Every object of the sample, in the order of the draw.

        Args:
            sample: what to ask for.
            page: rows per query.

        Raises:
            RefusedQuery: SkyServer says no.
            FetchProblem: It cannot be reached, however often we try.
        """
        left = sample.limit
        seen: set[str] = set()  # of the last place in the draw: it comes again
        after: int | None = None
        while left is None or left > 0:
            size = page if left is None else min(page, left + len(seen))
            rows = self._page(sample, size, after)
            fresh = [row for row in rows if row["specObjID"] not in seen]
            yield from fresh[:left]
            left = None if left is None else left - len(fresh)
            if len(rows) < size:
                return
            if not fresh:
                raise FetchProblem(
                    f"{size} objects share one place in the draw: expected at most "
                    f"{size - 1}; ask for larger pages"
                )
            after = rows[-1].drawn
            seen = {row["specObjID"] for row in rows if row.drawn == after}

    def _page(self, sample: Sample, size: int, after: int | None) -> list[CatalogRow]:
        sql = sample.page_sql(size, after=after)
        retry = 0
        while True:
            time.sleep(self._pace.reserve())
            try:
                return read_answer(self._ask(sql, sample.release))
            except PassingProblem as problem:
                retry += 1
                wait = self._patience.seconds_before(retry, problem)
                _log.warning("%s; trying again in %.1f s", problem, wait)
                time.sleep(wait)

    def _ask(self, sql: str, release: int) -> str:
        try:
            with conf.set_temp("skyserver_baseurl", self._url):
                answer = self._sdss.query_sql_async(
                    sql, timeout=self._timeout, data_release=release, cache=False
                )
        except requests.RequestException as error:
            raise PassingProblem(
                f"SkyServer at {self._url} does not answer: {_reason(error)}"
            ) from error
        text = str(answer.content.decode("utf-8", errors="replace"))
        if answer.status_code == requests.codes.server_error and blames_sql(text):
            raise RefusedQuery(refusal(text))
        if answer.status_code in PASSING:
            raise PassingProblem(
                f"SkyServer answers {answer.status_code} {answer.reason}",
                retry_after_seconds(answer.headers.get("Retry-After")),
            )
        if answer.status_code != requests.codes.ok:
            raise RefusedQuery(
                f"SkyServer answers {answer.status_code} {answer.reason}: {answer.url}"
            )
        return text


def _reason(error: Exception) -> str:
    """What was wrong, without the query, which fills a screen in an address."""
    said = re.sub(r"(url: )\S+", r"\1…", str(error))
    return f"{type(error).__name__}: {said}"
