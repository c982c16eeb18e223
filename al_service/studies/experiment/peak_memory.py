"""The most memory that a piece of work has taken."""

import threading
from types import TracebackType
from typing import Final, Self

import psutil

_EVERY_SECONDS: Final = 0.05
"""Between two looks: a layer's activations live longer."""


class PeakMemory:
    """Watches this process while the block runs; data that lay ready count, too."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self.megabytes = self._now()

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._watch.join()
        self.megabytes = max(self.megabytes, self._now())

    def _look(self) -> None:
        while not self._over.wait(_EVERY_SECONDS):
            self.megabytes = max(self.megabytes, self._now())

    def _now(self) -> float:
        return float(self._process.memory_info().rss) / 1e6
