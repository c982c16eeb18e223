"""`al` as a person runs it: a process of its own, waited for with a deadline."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil

from al_service.local.home import open_home
from al_service.local.processes import wait_until
from al_service.local.record import StackRecord

AL = (sys.executable, "-P", "-m", "al_service.cli")

START_SECONDS = 150.0
"""Four processes import torch on two busy cores."""

STOP_SECONDS = 15.0
"""What the contract allows."""

KEPT = {name: value for name, value in os.environ.items() if name[:3] != "AL_"}


def al(
    *arguments: object,
    environment: Mapping[str, str] | None = None,
    seconds: float = 300.0,
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*AL, *(str(argument) for argument in arguments)],
        env={**KEPT, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@dataclass(frozen=True)
class Up:
    """A running `al up`."""

    home: Path
    process: subprocess.Popen[bytes]
    printed: Path
    """Everything it wrote to standard output."""

    @property
    def url(self) -> str:
        return self.printed.read_text().strip()

    @property
    def address(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.url).query)["token"][0]

    def record(self) -> StackRecord:
        record = StackRecord.read(open_home(self.home))
        assert record is not None
        return record

    def child(self, name: str) -> psutil.Process:
        """A running process of the stack, once there is one."""
        found: list[psutil.Process] = []

        def there() -> bool:
            for child in self.record().children:
                process = child.find()
                if child.name == name and process is not None:
                    found.append(process)
            return bool(found)

        assert wait_until(there, seconds=30), f"no {name}"
        return found[0]

    def children(self) -> dict[str, int]:
        return {child.name: child.pid for child in self.record().children}

    def ready(self) -> bool:
        return answer(f"{self.address}/readyz") == httpx.codes.OK

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=STOP_SECONDS)


def answer(url: str) -> int | None:
    """The status with which a URL answers; None if nobody does."""
    try:
        return httpx.get(url, timeout=5.0).status_code
    except httpx.HTTPError:
        return None


@contextmanager
def up(
    home: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[Up]:
    """A stack that has printed its address; ended at the latest by the test's end."""
    home.mkdir(parents=True, exist_ok=True)
    printed, noise = home / "printed.txt", home / "noise.txt"
    with printed.open("wb") as output, noise.open("ab") as errors:
        process = subprocess.Popen(
            [*AL, "up", "--home", str(home), "--port", "0", *arguments],
            env={**KEPT, **(environment or {})},
            stdout=output,
            stderr=errors,
        )
    running = Up(home, process, printed)
    try:
        assert wait_until(
            lambda: b"\n" in printed.read_bytes() or process.poll() is not None,
            seconds=START_SECONDS,
        )
        assert process.poll() is None, noise.read_text()
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=2 * STOP_SECONDS)


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process that has to do with a home: by its variables or arguments."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if process.pid != os.getpid() and any(str(home) in word for word in words):
            found.append(process)
    return found
