"""One campaign lead, observer or program, talking to the service."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from al_service.client.answers import Batch, Curve, Json, Label, Run
from al_service.client.calls import Calls, campaign_path, object_path
from al_service.client.refusals import RunUnfinished
from al_service.client.transport import Transport

RUNS_PAGE = 20
"""Runs carry their metrics, and who looks for one looks for a new one."""

PATIENCE_SECONDS = 0.5
"""How often a waiting client looks at a run."""


class Client:
    """The service at one URL, with one token.

    ```python
    with Client("http://127.0.0.1:8151", token) as client:
        batch = client.ask("my-campaign", size=10)
        labels = [
            {"object_id": item.object_id, "values": {"z": measure(item)}}
            for item in batch.items
        ]
        client.tell("my-campaign", labels, batch_id=batch.id)
        print(client.curve("my-campaign").points)
    ```

    Every request is sent again when the connection breaks or the service restarts;
    asks and tells carry an `Idempotency-Key`, so that none of them happens twice.

    Args:
        url: where the service is; the URL that `al up` prints will do as it is, with
            its token.
        token: bearer token; without it the one in the URL.
        timeout: seconds to wait for an answer to one attempt.
        pause: waits between attempts; takes seconds.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeout: float = 30.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        address, _, query = url.partition("?")
        if token is None and query.startswith("token="):
            token = query.removeprefix("token=")
        self._pause = pause
        self._calls = Calls(
            Transport(address.rstrip("/"), token, timeout=timeout, pause=pause)
        )

    def create_campaign(self, name: str, *, pool: str, **options: Any) -> Json:
        """Open a campaign.

        Args:
            name: how it will be addressed.
            pool: name of the pool that it draws from.
            options: `targets`, `model`, `strategy`, `retrain`, `random_share`,
                `overlap`, `budget`, `evaluation_size`, `seed`.
        """
        body = {"name": name, "pool": pool, **options}
        return self._calls.json("POST", "/campaigns", body=body, repeatable=False)

    def campaign(self, campaign: str | int) -> Json:
        """A campaign with its counts, its serving run and its next retrain."""
        return self._calls.json("GET", campaign_path(campaign))

    def campaigns(self) -> Iterator[Json]:
        """Every campaign, oldest first."""
        return self._calls.pages("/campaigns")

    def change_campaign(self, campaign: str | int, **changes: Any) -> Json:
        """Pause it (`state="paused"`), change its policy, its budget."""
        return self._calls.json("PATCH", campaign_path(campaign), body=changes)

    def ask(
        self,
        campaign: str | int,
        size: int = 1,
        *,
        lease_seconds: float | None = None,
        key: str | None = None,
    ) -> Batch:
        """The next objects to label, reserved for the holder of this token.

        Args:
            campaign: its name or id.
            size: how many objects.
            lease_seconds: how long they stay reserved.
            key: `Idempotency-Key`; a fresh one without it.
        """
        body: dict[str, Any] = {"size": size}
        if lease_seconds is not None:
            body["lease_seconds"] = lease_seconds
        return Batch.of(
            self._calls.once(f"{campaign_path(campaign)}/batches", body, key)
        )

    def tell(
        self,
        campaign: str | int,
        labels: Sequence[Mapping[str, Any]],
        *,
        batch_id: int | None = None,
        key: str | None = None,
    ) -> tuple[Label, ...]:
        """Submit labels, all or none.

        Args:
            campaign: its name or id.
            labels: `{"object_id", "values"}`, and `errors`, `quality`, `note` or
                `source` where they are known.
            batch_id: the batch that they answer, if they answer one.
            key: `Idempotency-Key`; a fresh one without it.
        """
        body: dict[str, Any] = {"labels": [dict(label) for label in labels]}
        if batch_id is not None:
            body["batch_id"] = batch_id
        answer = self._calls.once(f"{campaign_path(campaign)}/labels", body, key)
        return tuple(Label.of(label) for label in answer["labels"])

    def batch(self, batch_id: int) -> Batch:
        """A batch as it stands."""
        return Batch.of(self._calls.json("GET", f"/batches/{batch_id}"))

    def renew(self, batch_id: int, *, lease_seconds: float | None = None) -> Batch:
        """Keep a batch reserved for longer, from now on."""
        body = {} if lease_seconds is None else {"lease_seconds": lease_seconds}
        return Batch.of(
            self._calls.json("POST", f"/batches/{batch_id}/renew", body=body)
        )

    def release(self, batch_id: int) -> Batch:
        """Give a batch back: its unlabeled objects are free again."""
        return Batch.of(self._calls.end(f"/batches/{batch_id}", "released"))

    def labels(self, campaign: str | int, *, flagged: bool = False) -> Iterator[Label]:
        """Every label of a campaign, oldest first, corrections included.

        Args:
            campaign: its name or id.
            flagged: only those to look at again, that nobody has corrected.
        """
        only = {"flagged": "true"} if flagged else {}
        for label in self._calls.pages(f"{campaign_path(campaign)}/labels", query=only):
            yield Label.of(label)

    def export_batch(
        self, batch_id: int, path: str | Path, *, kind: str = "votable"
    ) -> int:
        """Write a batch to a file, as a target list.

        Args:
            batch_id: the batch.
            path: the file; it is there when it is whole.
            kind: `votable`, `fits`, `ecsv` or `csv`.

        Returns:
            Its bytes.
        """
        return self._calls.save(f"/batches/{batch_id}/export", path, {"format": kind})

    def export_labels(
        self,
        campaign: str | int,
        path: str | Path,
        *,
        kind: str = "csv",
        current: bool = False,
    ) -> int:
        """Write every label of a campaign to a file, however many there are.

        Args:
            campaign: its name or id.
            path: the file; it is there when it is whole.
            kind: `csv`, `ecsv`, `fits`, `votable` or `parquet`.
            current: only labels that nobody has corrected.

        Returns:
            Its bytes.
        """
        query = {"format": kind, "current": "true" if current else "false"}
        return self._calls.save(f"{campaign_path(campaign)}/labels/export", path, query)

    def objects(self, campaign: str | int) -> Iterator[Json]:
        """The objects that the model finds most uncertain, first."""
        return self._calls.pages(f"{campaign_path(campaign)}/objects")

    def image(
        self,
        object_id: str,
        *,
        band: str | None = None,
        size: int | None = None,
        pool: str | None = None,
    ) -> bytes:
        """An object's picture, a PNG.

        Args:
            object_id: the object.
            band: u, g, r, i or z in gray; g, r and i in color without it.
            size: pixels a side.
            pool: needed where several pools have the id.
        """
        query = _given(band=band, size=size, pool=pool)
        return self._calls.content(f"{object_path(object_id)}/image.png", query)

    def spectrum(self, object_id: str, *, pool: str | None = None) -> Json:
        """An object's spectrum, with the scan's candidates and the best one's model.

        Args:
            object_id: the object.
            pool: needed where several pools have the id.
        """
        path = f"{object_path(object_id)}/spectrum"
        return self._calls.json("GET", path, query=_given(pool=pool))

    def curve(self, campaign: str | int) -> Curve:
        """The learning curve so far."""
        return Curve.of(
            self._calls.json("GET", f"{campaign_path(campaign)}/learning-curve")
        )

    def curve_picture(self, campaign: str | int, kind: str = "png") -> bytes:
        """The learning curve as a `png` or `svg`."""
        return self._calls.content(f"{campaign_path(campaign)}/learning-curve.{kind}")

    def runs(self, campaign: str | int) -> Iterator[Run]:
        """Every run of a campaign, newest first."""
        for run in self._calls.pages(f"{campaign_path(campaign)}/runs", size=RUNS_PAGE):
            yield Run.of(run)

    def run(self, run_id: int) -> Run:
        """A run as it stands."""
        return Run.of(self._calls.json("GET", f"/runs/{run_id}"))

    def start_run(self, campaign: str | int, kind: str = "full") -> Run:
        """Start work now instead of when it is due."""
        path = f"{campaign_path(campaign)}/runs"
        return Run.of(
            self._calls.json("POST", path, body={"kind": kind}, repeatable=False)
        )

    def cancel_run(self, run_id: int) -> Run:
        """Stop a run; what serves goes on serving."""
        return Run.of(self._calls.end(f"/runs/{run_id}", "canceled"))

    def wait_for_run(
        self,
        run_id: int,
        *,
        timeout: float = 3600.0,
        watch: Callable[[Run], None] | None = None,
    ) -> Run:
        """Wait until a run has ended, one way or another.

        Args:
            run_id: the run.
            timeout: seconds to wait at most.
            watch: told of the run every time that it was looked at.

        Raises:
            RunUnfinished: it took longer.
        """
        deadline = time.monotonic() + timeout
        while True:
            run = self.run(run_id)
            if watch is not None:
                watch(run)
            if run.finished:
                return run
            if time.monotonic() >= deadline:
                raise RunUnfinished(run_id, run.state, timeout)
            self._pause(PATIENCE_SECONDS)

    def close(self) -> None:
        """Give the connections back."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _given(**query: str | int | None) -> dict[str, str | int]:
    return {name: value for name, value in query.items() if value is not None}
