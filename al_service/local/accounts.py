"""The account under which PostgreSQL runs when we are root, which it refuses to be."""

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAMES = ("pgserver", "nobody")
"""The account that the wheel itself would make, and one that every system has."""


@dataclass(frozen=True)
class Account:
    """A user and its first group."""

    name: str
    uid: int
    gid: int


def unprivileged() -> Account | None:
    """An account to give servers to; None where we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    useradd = shutil.which("useradd")
    if not _exists(NAMES[0]) and useradd is not None:
        subprocess.run(
            [useradd, "--system", "--no-create-home", NAMES[0]],
            check=False,  # a read-only system: the second name will do
            capture_output=True,
        )
    entry = pwd.getpwnam(next(name for name in NAMES if _exists(name)))
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def open_to_read(folder: Path) -> None:
    """Let every account read installed files that a strict umask has closed."""
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink() or path.stat().st_uid != os.geteuid():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH
        if path.is_dir() or mode & stat.S_IXUSR:
            wanted |= stat.S_IXOTH
        if wanted != mode:
            path.chmod(wanted)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
