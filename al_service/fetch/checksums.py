"""The checksums that the archive publishes: files `*.sha1sum` beside the files.

Their names follow no single rule, so the folder's own listing says what they are
called. A listing costs about as much as a spectrum: by default only folders from which
several files are wanted are asked.
"""

import asyncio
import html
import logging
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from al_service.fetch.archive import Archive
from al_service.fetch.patience import Patience
from al_service.fetch.problems import FetchProblem, PassingProblem

WORTH_A_LISTING: Final = 4
"""Files wanted from one folder, from which on its checksums are looked up."""

LARGEST_LISTING: Final = 32 * 2**20
"""Bytes; a folder of 5,000 frames lists in about 1 MB."""

_LINK: Final = re.compile(r"href=[\"']?([^\"'>\s]+\.sha1sum)", re.IGNORECASE)
_LINE: Final = re.compile(r"^([0-9a-fA-F]{40}) [ *](.+)$")

_log = logging.getLogger(__name__)


class Checksums(StrEnum):
    """When to look for published checksums."""

    AUTO = "auto"  # where several files of one folder are wanted
    ALWAYS = "always"  # for every folder
    NEVER = "never"  # structure and length alone


class PublishedSums:
    """sha1 by file, read once per folder, by whoever comes first."""

    def __init__(
        self,
        archive: Archive,
        patience: Patience,
        *,
        when: Checksums,
        wanted: Mapping[str, int],
    ) -> None:
        """Nothing is asked yet.

        Args:
            archive: where to ask.
            patience: with a server that does not answer.
            when: which folders to ask.
            wanted: files whose digest is not known yet, by folder of the archive.
        """
        self._archive = archive
        self._patience = patience
        self._when = when
        self._wanted = wanted
        self._folders: dict[str, asyncio.Task[dict[str, str]]] = {}

    async def of(self, directory: str, name: str) -> str | None:
        """The sha1 of a file, hexadecimal; None where there is none, or none wanted."""
        if self._when is Checksums.NEVER:
            return None
        few = self._wanted.get(directory, 0) < WORTH_A_LISTING
        if self._when is Checksums.AUTO and few:
            return None
        if directory not in self._folders:
            self._folders[directory] = asyncio.create_task(self._read(directory))
        return (await asyncio.shield(self._folders[directory])).get(name)

    async def _read(self, directory: str) -> dict[str, str]:
        retry = 0
        while True:
            try:
                return await self._try(directory)
            except PassingProblem as problem:
                retry += 1
                try:
                    await asyncio.sleep(self._patience.seconds_before(retry, problem))
                except FetchProblem as final:
                    return _without(directory, final)
            except FetchProblem as problem:
                return _without(directory, problem)

    async def _try(self, directory: str) -> dict[str, str]:
        listing = await self._archive.text(f"{directory}/", at_most=LARGEST_LISTING)
        found: dict[str, str] = {}
        for link in sorted(set(_LINK.findall(listing))):
            name = unquote(html.unescape(link)).rpartition("/")[2]
            text = await self._archive.text(
                f"{directory}/{name}", at_most=LARGEST_LISTING
            )
            found |= read_sums(text)
        return found


def read_sums(text: str) -> dict[str, str]:
    """What a `sha1sum` file says: file name to digest; other lines are skipped."""
    matches = (_LINE.match(line.strip()) for line in text.splitlines())
    return {match[2].rpartition("/")[2]: match[1].lower() for match in matches if match}


def _without(directory: str, problem: FetchProblem) -> dict[str, str]:
    """Checksums are a help, not a condition: files are still checked by structure."""
    _log.info("no published checksums for %s: %s", directory, problem)
    return {}
