"""One file: continued where it broke off, checked, and only then given its name."""

import asyncio
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

import httpx

from al_service.fetch.archive import Archive
from al_service.fetch.checksums import PublishedSums
from al_service.fetch.patience import Patience
from al_service.fetch.problems import (
    FetchProblem,
    NotThere,
    NotWhole,
    PassingProblem,
)
from al_service.fetch.sas import RemoteFile
from al_service.fetch.wholeness import verify

PARTIAL: Final = ".part"
"""Ending of files that are not whole yet."""

_CONTENT_RANGE: Final = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")

Received = Callable[[int], None]
"""Told how many more bytes have come."""


class State(StrEnum):
    """How a file's story ends."""

    FETCHED = "fetched"  # came now
    KEPT = "kept"  # was here, and is what it was
    MISSING = "missing"  # the archive has no such file
    FAILED = "failed"  # it may be there, but would not come whole


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    file: RemoteFile
    state: State
    sha256: str | None = None
    """Of a file that is here."""
    size: int = 0
    """Bytes."""
    checked: str | None = None
    """`sha1`: against the published checksum; `structure`: length and format;
    `sha256`: against the manifest of an earlier run."""
    why: str | None = None
    """Of a file that is not here."""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Downloader:
    """Brings files of an archive into a folder."""

    def __init__(
        self,
        archive: Archive,
        sums: PublishedSums,
        folder: Path,
        *,
        patience: Patience,
        known: dict[str, str],
        received: Received,
    ) -> None:
        """Nothing is asked yet.

        Args:
            archive: where from.
            sums: the checksums that it publishes.
            folder: where to.
            patience: with broken connections and busy servers.
            known: sha256 of files that an earlier run has brought, by name.
            received: told of bytes as they come.
        """
        self._archive = archive
        self._sums = sums
        self._folder = folder
        self._patience = patience
        self._known = known
        self._received = received
        self._versions: dict[str, str | None] = {}

    async def bring(self, file: RemoteFile) -> Outcome:
        """Have a file in the folder, whole, or say why not."""
        target = self._folder / file.name
        partial = target.with_name(target.name + PARTIAL)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            kept = await self._keep(file, target)
            return kept or await self._fetch(file, target, partial)
        except NotThere as problem:
            partial.unlink(missing_ok=True)
            return Outcome(file, State.MISSING, why=str(problem))
        except FetchProblem as problem:
            return Outcome(file, State.FAILED, why=str(problem))

    async def _keep(self, file: RemoteFile, target: Path) -> Outcome | None:
        """The file that is here, if it is what it should be."""
        if not target.exists():
            return None
        known = self._known.get(file.name)
        sha1 = None if known else await self._sha1(file)
        try:
            found = await asyncio.to_thread(verify, target, name=file.name, sha1=sha1)
        except NotWhole:
            found = None
        if found is None or (known is not None and found != known):
            target.unlink()
            return None
        checked = "sha256" if known else "sha1" if sha1 else "structure"
        return Outcome(file, State.KEPT, found, target.stat().st_size, checked)

    async def _fetch(self, file: RemoteFile, target: Path, partial: Path) -> Outcome:
        sha1 = await self._sha1(file)
        retry = dropped = 0
        while True:
            before = _size(partial)
            try:
                await self._continue(file, partial)
                digest = await self._accept(file, partial, sha1)
                break
            except PassingProblem as problem:
                retry = 1 if _size(partial) > before else retry + 1
                # One that comes in parts and is dropped when it is whole moves on
                # for ever.
                dropped += not partial.exists()
                wait = self._patience.seconds_before(max(retry, dropped), problem)
                await asyncio.sleep(wait)
        size = partial.stat().st_size
        partial.replace(target)
        checked = "sha1" if sha1 else "structure"
        return Outcome(file, State.FETCHED, digest, size, checked)

    async def _continue(self, file: RemoteFile, partial: Path) -> None:
        """Add what is missing, or start over where the server cannot continue."""
        have = _size(partial)
        async with self._archive.get(
            file.path, from_byte=have, version=self._versions.get(file.name)
        ) as answer:
            self._versions[file.name] = _version(answer)
            start, total = _extent(answer, have)
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                if total != have:
                    partial.unlink(missing_ok=True)
                    raise PassingProblem(
                        f"{file.name}: {have} bytes are here, the server has {total}"
                    )
                return
            with partial.open("ab" if start else "wb") as into:
                async for chunk in answer.aiter_raw():
                    into.write(chunk)
                    into.flush()  # what came stays, even if we are killed
                    self._received(len(chunk))
        if total is not None and _size(partial) < total:
            raise NotWhole(
                f"{file.name}: expected {total} bytes, found {_size(partial)}"
            )

    async def _accept(self, file: RemoteFile, partial: Path, sha1: str | None) -> str:
        """Check a complete file and put it safely on disk; a bad one is dropped."""
        try:
            digest = await asyncio.to_thread(verify, partial, name=file.name, sha1=sha1)
        except NotWhole:
            partial.unlink()
            raise
        await asyncio.to_thread(_flush, partial)
        return digest

    async def _sha1(self, file: RemoteFile) -> str | None:
        return await self._sums.of(file.directory, file.path.rpartition("/")[2])


def _version(answer: httpx.Response) -> str | None:
    """What `If-Range` may name: a strong validator, if the server sends one."""
    tag = answer.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return str(tag)
    return str(answer.headers.get("Last-Modified", "")) or None


def _extent(answer: httpx.Response, have: int) -> tuple[int, int | None]:
    """Where an answer's bytes begin, and how long the file is, as far as it says.

    Raises:
        PassingProblem: The bytes would not fit to those that are here.
    """
    if answer.status_code == httpx.codes.OK:
        length = answer.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    said = answer.headers.get("Content-Range", "")
    match = _CONTENT_RANGE.fullmatch(said.strip())
    total = int(match[2]) if match and match[2] != "*" else None
    if answer.status_code == httpx.codes.PARTIAL_CONTENT and (
        match is None or match[1] is None or int(match[1]) != have
    ):
        raise PassingProblem(
            f"{answer.url}: expected a part from byte {have}, found {said!r}"
        )
    return have, total


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
