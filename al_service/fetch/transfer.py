"""Many files at once, never more than agreed, and none of them lost from sight."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from al_service.fetch.archive import open_archive
from al_service.fetch.checksums import Checksums, PublishedSums
from al_service.fetch.download import Downloader, Outcome, State
from al_service.fetch.patience import Patience
from al_service.fetch.problems import FetchProblem
from al_service.fetch.sas import RemoteFile


@dataclass(frozen=True)
class Manners:
    """How an archive is treated."""

    connections: int = 4
    """Requests at the same time."""
    per_second: float = 5.0
    """Requests that may start in a second."""
    timeout_seconds: float = 60.0
    """Silence after which a connection counts as broken."""
    checksums: Checksums = Checksums.AUTO
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Standing:
    """How far a transfer has come."""

    files: int = 0
    """Done with, whatever became of them."""
    received: int = 0
    """Bytes that came over the network."""
    missing: int = 0
    failed: int = 0

    def after(self, outcome: Outcome) -> "Standing":
        """With one more file done."""
        return replace(
            self,
            files=self.files + 1,
            missing=self.missing + (outcome.state is State.MISSING),
            failed=self.failed + (outcome.state is State.FAILED),
        )


def transfer(
    files: Callable[[], Iterable[RemoteFile]],
    folder: Path,
    *,
    url: str,
    manners: Manners,
    known: dict[str, str],
    done: Callable[[Outcome], None],
    progress: Callable[[Standing], None],
) -> None:
    """Bring files into a folder.

    Args:
        files: gives the files, anew each time it is called.
        folder: where to.
        url: address of the archive.
        manners: how fast, how often, how patiently.
        known: sha256 of files that an earlier run has brought, by name.
        done: told of every file, once.
        progress: told now and then.

    Raises:
        FetchProblem: The folder cannot be written to: a full disk ends everything.
        KeyboardInterrupt: Ctrl-C or the like; connections are closed, unfinished files
            keep what they have under another name.
    """
    board = _Board(done, progress)
    try:
        asyncio.run(
            _transfer(files, folder, url=url, manners=manners, known=known, board=board)
        )
    except* OSError as group:
        problem = group.exceptions[0]
        raise FetchProblem(f"cannot write to {folder}: {problem}") from problem


class _Board:
    """Where everybody writes down what has happened."""

    def __init__(
        self, done: Callable[[Outcome], None], progress: Callable[[Standing], None]
    ) -> None:
        self._done = done
        self._progress = progress
        self._standing = Standing()

    def received(self, size: int) -> None:
        self._standing = replace(
            self._standing, received=self._standing.received + size
        )
        self._progress(self._standing)

    def finished(self, outcome: Outcome) -> None:
        self._done(outcome)
        self._standing = self._standing.after(outcome)
        self._progress(self._standing)


async def _transfer(
    files: Callable[[], Iterable[RemoteFile]],
    folder: Path,
    *,
    url: str,
    manners: Manners,
    known: dict[str, str],
    board: _Board,
) -> None:
    wanted = Counter(file.directory for file in files() if file.name not in known)
    async with _downloader(
        folder, url=url, manners=manners, known=known, wanted=wanted, board=board
    ) as downloader:
        todo = iter(files())
        async with asyncio.TaskGroup() as group:
            for _ in range(manners.connections):
                group.create_task(_work(todo, downloader, board))


async def _work(
    todo: Iterator[RemoteFile], downloader: Downloader, board: _Board
) -> None:
    """One connection's worth of work: take the next file until there is none."""
    for file in todo:
        board.finished(await downloader.bring(file))


@asynccontextmanager
async def _downloader(
    folder: Path,
    *,
    url: str,
    manners: Manners,
    known: dict[str, str],
    wanted: Counter[str],
    board: _Board,
) -> AsyncIterator[Downloader]:
    async with open_archive(
        url,
        per_second=manners.per_second,
        connections=manners.connections,
        timeout_seconds=manners.timeout_seconds,
    ) as archive:
        sums = PublishedSums(
            archive, manners.patience, when=manners.checksums, wanted=wanted
        )
        yield Downloader(
            archive,
            sums,
            folder,
            patience=manners.patience,
            known=known,
            received=board.received,
        )
