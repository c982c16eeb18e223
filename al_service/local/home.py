"""The folder that holds everything of one laptop stack, and who may look into it."""

import os
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from al_service.errors import StackProblem

LONGEST_SOCKET = 103
"""Bytes in the path of a unix socket: 103 on macOS, 107 on Linux."""

LONGEST_SOCKET_NAME = "postgres/.s.PGSQL.5432"
"""The longest path, below the folder of sockets, of a socket that a server opens."""

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")
"""Letters that mean themselves in a URL, a configuration file and a shell."""


@dataclass(frozen=True)
class Home:
    """Where one stack keeps its data, secrets, sockets, logs and records.

    Make one with `open_home`.
    """

    path: Path
    """Absolute, links resolved."""

    @property
    def postgres(self) -> Path:
        """Data of the embedded PostgreSQL."""
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        """Working folder and configuration of the embedded Valkey."""
        return self.path / "valkey"

    @property
    def logs(self) -> Path:
        """One file per process of the stack."""
        return self.path / "logs"

    @property
    def record(self) -> Path:
        """Which processes run, and where they can be reached (JSON, holds secrets)."""
        return self.path / "stack.json"

    @property
    def lock(self) -> Path:
        """Locked exclusively by a running stack, shared by commands without one."""
        return self.path / "stack.lock"

    @property
    def doorway(self) -> Path:
        """Locked while a command starts or stops the embedded database."""
        return self.path / "database.lock"

    def log(self, name: str) -> Path:
        """File that collects what the process `name` prints."""
        return self.logs / f"{name}.log"

    def secret(self, name: str) -> str:
        """A random text that stays the same in this home, in a file of mode 0600."""
        path = self.path / "secrets" / name
        if not path.exists():
            write_private(path, secrets.token_hex(24))
        return path.read_text(encoding="ascii").strip()

    def sockets(self) -> Path:
        """Folder for unix sockets whose path is short and plain enough to be one.

        It is `home/sockets`; where that path is too long for a socket or holds
        spaces, a link there leads to a private folder in the temporary folder.
        """
        inside = self.path / "sockets"
        if inside.is_dir() and inside.stat().st_uid == os.geteuid():
            return inside.resolve()
        inside.unlink(missing_ok=True)  # a link whose folder a reboot has cleared
        if _fits(inside):
            inside.mkdir(mode=0o700)
            return inside
        outside = Path(tempfile.mkdtemp(prefix="al-"))
        if not _fits(outside):
            outside.rmdir()
            outside = Path(tempfile.mkdtemp(prefix="al-", dir="/tmp"))
        inside.symlink_to(outside)
        return outside

    def drop_sockets(self) -> None:
        """Remove the folder of sockets once no server uses it."""
        inside = self.path / "sockets"
        if inside.is_symlink():
            shutil.rmtree(inside.resolve(), ignore_errors=True)
            inside.unlink(missing_ok=True)


def open_home(path: Path) -> Home:
    """Make the folder ready, private where it is new.

    Raises:
        StackProblem: The path is not a folder that we may write to.
    """
    resolved = path.expanduser().resolve()
    try:
        if not resolved.exists():
            resolved.mkdir(parents=True)
            resolved.chmod(0o700)
        for name in ("secrets", "logs", "valkey"):
            (resolved / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StackProblem(
            f"--home {resolved} must be a folder that can be written to: {error}"
        ) from error
    if not os.access(resolved, os.R_OK | os.W_OK | os.X_OK):
        raise StackProblem(f"--home {resolved} must be a folder that can be written to")
    return Home(resolved)


def write_private(path: Path, text: str, *, lasting: bool = True) -> None:
    """Write a file that only its owner can read, whole or not at all.

    Args:
        path: Where.
        text: What.
        lasting: Whether it must survive a power cut.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if lasting:
            os.fsync(file.fileno())
    Path(name).replace(path)


def let_through(folder: Path) -> None:
    """Let every account walk through (not read) the folders that lead to `folder`.

    Only root needs this: its PostgreSQL runs under another account. A folder that
    is not ours to change is left as it is.
    """
    for ancestor in folder.parents:
        mode = stat.S_IMODE(ancestor.stat().st_mode)
        if not mode & stat.S_IXOTH and ancestor.stat().st_uid == os.geteuid():
            ancestor.chmod(mode | stat.S_IXOTH)


def _fits(folder: Path) -> bool:
    longest = str(folder / LONGEST_SOCKET_NAME)
    return len(longest.encode()) <= LONGEST_SOCKET and set(longest) <= PLAIN
