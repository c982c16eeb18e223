"""Compressed files become plain ones, within limits."""

import bz2
import gzip
import lzma
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

from al_service.errors import UnreadableFile

MAX_RATIO: Final = 100
"""Tables and images shrink to a tenth at best; a file that grows a hundredfold is
built to fill the disk."""

FREE_BYTES: Final = 64 * 2**20
"""Below this size a ratio is nobody's harm: tables of one repeated row exist."""

_BLOCK: Final = 2**20

_MAGIC: Final[dict[bytes, Any]] = {  # Any: modules of one interface
    b"\x1f\x8b": gzip,
    b"BZh": bz2,
    b"\xfd7zXZ\x00": lzma,
}


@contextmanager
def plain_file(path: Path) -> Iterator[Path]:
    """The file itself, or for as long as the block lasts a decompressed copy.

    Args:
        path: plain, or compressed with gzip, bzip2 or xz; the content decides, not
            the name.

    Raises:
        UnreadableFile: there is no such file, it is cut off, or it grows out of all
            proportion.
    """
    opener = _opener(path)
    if opener is None:
        yield path
        return
    with TemporaryDirectory(prefix="al-plain-") as folder:
        plain = Path(folder) / path.stem
        try:
            with opener.open(path, "rb") as packed, plain.open("wb") as file:
                _copy(path, packed, file)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise UnreadableFile(
                path, f"expected a whole compressed file: {error}"
            ) from error
        yield plain


def _opener(path: Path) -> Any:  # Any: a module
    try:
        with path.open("rb") as file:
            start = file.read(6)
    except OSError as error:
        raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error
    if not start:
        raise UnreadableFile(path, "expected a table or an image, found an empty file")
    return next((one for magic, one in _MAGIC.items() if start.startswith(magic)), None)


def _copy(path: Path, packed: IO[bytes], plain: IO[bytes]) -> None:
    limit = max(FREE_BYTES, MAX_RATIO * path.stat().st_size)
    limit = min(limit, shutil.disk_usage(Path(str(plain.name)).parent).free)
    written = 0
    while block := packed.read(_BLOCK):
        written += len(block)
        if written > limit:
            raise UnreadableFile(
                path,
                f"decompresses to more than {limit:,} bytes from"
                f" {path.stat().st_size:,}: refused",
            )
        plain.write(block)
