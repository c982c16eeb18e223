"""From a question to a folder of files: query, plan, transfer, manifest."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from al_service.fetch.catalog import (
    CATALOG,
    files_of,
    objects_with,
    read_catalog,
    write_catalog,
)
from al_service.fetch.download import Outcome, State
from al_service.fetch.folder import FORMAT, read_manifest_of, write_manifest
from al_service.fetch.plan import Plan, plan_transfer
from al_service.fetch.problems import FetchProblem
from al_service.fetch.sample import LARGEST_PAGE, Sample
from al_service.fetch.sas import RemoteFile
from al_service.fetch.skyserver import SkyServer
from al_service.fetch.transfer import Manners, Standing, transfer
from al_service.survey.atomic_folder import file_digest

SPARE_BYTES: Final = 200 * 10**6
"""Left free on the disk: sizes in a plan are typical ones."""


@dataclass(frozen=True)
class Source:
    """Where everything comes from."""

    skyserver_url: str
    archive_url: str
    manners: Manners = field(default_factory=Manners)


@dataclass
class Fetch:
    """One sample, on its way into one folder."""

    sample: Sample
    folder: Path
    source: Source
    manifest: dict[str, Any]  # JSON
    outcomes: list[Outcome] = field(default_factory=list)
    """Of this run, in the order in which files were done."""

    @classmethod
    def begin(cls, sample: Sample, folder: Path, source: Source) -> "Fetch":
        """Look at what the folder holds.

        Raises:
            OtherSample: It holds something else.
        """
        return cls(sample, folder, source, read_manifest_of(folder, sample))

    @property
    def catalog(self) -> Path:
        """Where the sample's catalog is."""
        return self.folder / CATALOG

    @property
    def files(self) -> Callable[[], Iterable[RemoteFile]]:
        """Gives every file that the sample wants, anew each time it is called."""
        return lambda: files_of(self.catalog, self.sample)

    @property
    def has_catalog(self) -> bool:
        """Whether an earlier run brought the catalog, and it is what it was."""
        if not self.manifest or not self.catalog.exists():
            return False
        return bool(self.manifest["files"].get(CATALOG) == file_digest(self.catalog))

    def absent(self) -> Iterator[RemoteFile]:
        """Files that the sample wants and the folder lacks."""
        return (file for file in self.files() if not (self.folder / file.name).exists())

    def have_catalog(self, *, page: int = LARGEST_PAGE) -> None:
        """Ask SkyServer, unless an earlier run did and its answer is still here.

        Raises:
            FetchProblem: There is no answer, or nothing in it.
        """
        if self.has_catalog:
            return
        manners = self.source.manners
        server = SkyServer(
            self.source.skyserver_url,
            patience=manners.patience,
            timeout_seconds=manners.timeout_seconds,
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = write_catalog(self.catalog, server.rows(self.sample, page=page))
        self.manifest = {
            "format": FORMAT,
            "sample": self.sample.as_json(),
            "catalog": {
                "rows": rows,
                "url": self.source.skyserver_url,
                "fetched_at": as_text(datetime.now(UTC)),
            },
            "files": {CATALOG: file_digest(self.catalog)},
            "sources": {},
            "complete": False,
        }
        write_manifest(self.folder, self.manifest)

    def plan(self) -> Plan:
        """What the transfer will take."""
        return plan_transfer(
            self.files(),
            self.folder,
            objects=sum(1 for _ in read_catalog(self.catalog)),
            per_second=self.source.manners.per_second,
        )

    def have_files(self, plan: Plan, progress: Callable[[Standing], None]) -> None:
        """Bring every file; the manifest is written however it ends.

        Raises:
            FetchProblem: There is no room.
            KeyboardInterrupt: Somebody wants an end.
        """
        free = shutil.disk_usage(self.folder).free
        if free < plan.bytes_to_fetch + SPARE_BYTES:
            raise FetchProblem(
                f"{self.folder}: expected room for {plan.bytes_to_fetch + SPARE_BYTES} "
                f"bytes, found {free}"
            )
        try:
            transfer(
                self.files,
                self.folder,
                url=self.source.archive_url,
                manners=self.source.manners,
                known=self.manifest["files"],
                done=self.outcomes.append,
                progress=progress,
            )
        finally:
            self._write_down(plan)

    def of_state(self, state: State) -> list[Outcome]:
        """What became of files, of those that ended so."""
        return [outcome for outcome in self.outcomes if outcome.state is state]

    def lacking(self) -> list[dict[str, Any]]:  # JSON
        """Every file that is not here, with its objects and the reason."""
        gone = self.of_state(State.MISSING) + self.of_state(State.FAILED)
        objects = objects_with(
            self.catalog, self.sample, {outcome.file.name for outcome in gone}
        )
        return [
            {
                "file": outcome.file.name,
                "state": outcome.state.value,
                "why": outcome.why,
                "objects": objects[outcome.file.name],
            }
            for outcome in gone
        ]

    def _write_down(self, plan: Plan) -> None:
        here = [outcome for outcome in self.outcomes if outcome.sha256 is not None]
        files = {CATALOG: self.manifest["files"][CATALOG]}
        files |= self._not_reached()
        files |= {outcome.file.name: str(outcome.sha256) for outcome in here}
        sources = {
            name: source
            for name, source in self.manifest["sources"].items()
            if name in files
        }
        for outcome in self.of_state(State.FETCHED):
            sources[outcome.file.name] = self._source_of(outcome)
        self.manifest |= {
            "sample": self.sample.as_json(),
            "files": files,
            "sources": sources,
            "lacking": self.lacking(),
            "complete": len(here) == plan.files,
            "written_at": as_text(datetime.now(UTC)),
            "software": {
                name: version(name) for name in ("al-service", "astroquery", "httpx")
            },
        }
        write_manifest(self.folder, self.manifest)

    def _not_reached(self) -> dict[str, str]:
        """Digests of files that an earlier run brought and this one did not come to."""
        reached = {outcome.file.name for outcome in self.outcomes}
        return {
            name: digest
            for name, digest in self.manifest["files"].items()
            if name not in reached
        }

    def _source_of(self, outcome: Outcome) -> dict[str, Any]:  # JSON
        return {
            "url": f"{self.source.archive_url.rstrip('/')}/{outcome.file.path}",
            "bytes": outcome.size,
            "checked": outcome.checked,
            "fetched_at": as_text(outcome.at),
        }


def report(fetch: Fetch, plan: Plan, *, seconds: float) -> dict[str, Any]:  # JSON
    """What `--json` says."""
    counts = {state.value: len(fetch.of_state(state)) for state in State}
    return {
        "folder": str(fetch.folder),
        "sample": fetch.sample.as_json(),
        "source": {
            "skyserver": fetch.source.skyserver_url,
            "archive": fetch.source.archive_url,
        },
        "plan": plan.as_json(),
        "files": counts,
        "bytes": sum(outcome.size for outcome in fetch.of_state(State.FETCHED)),
        "lacking": fetch.lacking(),
        "complete": bool(fetch.manifest.get("complete", False)),
        "seconds": round(seconds, 3),
    }


def as_text(moment: datetime) -> str:
    """A moment to the second, in UTC, as in HTTP answers of the service."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
