"""Strategies compared on the same skies, at most two campaigns at a time.

Every campaign computes on one core: two of them fill the two cores of a laptop, and
the result does not depend on how many run at once.
"""

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, TypeAlias

import torch
from threadpoolctl import threadpool_limits

from al_service.errors import ALServiceError
from al_service.studies.campaign import Begun, Curve, replay_campaign
from al_service.studies.junk_view import check_catalogs_only
from al_service.studies.kept_curves import KeptCurves
from al_service.studies.replayed_pool import ReplayedPool, Stage, replayed_pool
from al_service.studies.scratch import scratch_folder
from al_service.studies.settings import ReplaySettings
from al_service.studies.sky import draw_sky
from al_service.survey.pool_arrays import PoolArrays

Line: TypeAlias = "Connection[Any, Any]"  # Any: jobs there; points, curves back


class ReplayFailed(ALServiceError):
    """A process of the replay ended without its result."""


@dataclass(frozen=True)
class Progress:
    """How far a replay is."""

    done: int
    """Finished points of curves, those found on disk aside."""

    total: int
    """Points that this replay computes."""

    seconds: float
    """Since the start."""

    @property
    def rate(self) -> float:
        """Points a second."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Expected remaining time; None before the first point."""
        return (self.total - self.done) / self.rate if self.done else None


@dataclass(frozen=True)
class Job:
    """One campaign to replay."""

    arm: str
    seed: int
    begun: Begun | None = field(default=None, compare=False)
    """How far it is; None where nobody has begun it."""

    @property
    def n_points(self) -> int:
        """Points that there are already."""
        return 0 if self.begun is None else len(self.begun.points)


def run_replay(
    path: Path,
    settings: ReplaySettings,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    on_stage: Stage = lambda _stage, _done, _total: None,
    folder: Path | None = None,
    scans: Path | None = None,
) -> list[Curve]:
    """Replay every strategy on every seed's sky.

    Args:
        path: folder of the pool's arrays.
        settings: what to compare.
        progress: told after every point.
        on_stage: told how far scanning and preparing are, before the first point.
        folder: keeps every curve, after every point, and gives those that it has;
            None: every curve is computed. Prepared pixels lie beside them meanwhile.
        scans: keeps redshift scans of pools, and gives those that it has; None: all
            spectra are scanned.

    Returns:
        One curve per strategy and seed, in the order of the settings.

    Raises:
        InvalidInput: The pool cannot carry such a replay.
        ReplayFailed: A process died.
    """
    arrays = PoolArrays.open(path)
    # Every seed's sky has the same size: what one refuses all refuse, before any work.
    draw_sky(
        arrays,
        seed=0,
        test_size=settings.test_size,
        labels_needed=settings.labels_needed,
    )
    if settings.junk > 0:
        check_catalogs_only(arrays)
    jobs = [Job(arm, seed) for seed in settings.all_seeds for arm in settings.arms]
    kept = None if folder is None else KeptCurves(folder, settings, path)
    found = [] if kept is None else [kept.find(job.arm, job.seed) for job in jobs]
    curves = [curve for curve in found if curve is not None]
    there = {Job(curve.arm, curve.seed) for curve in curves}
    left = [_taken_up(job, kept) for job in jobs if job not in there]
    total = sum(settings.rounds + 1 - job.n_points for job in left)
    started = time.perf_counter()
    done = 0

    def finished_point(begun: Begun) -> None:
        nonlocal done
        done += 1
        if kept is not None:
            kept.keep_begun(begun)
        progress(Progress(done, total, time.perf_counter() - started))

    def finished(curve: Curve) -> None:
        curves.append(curve)
        if kept is not None:
            kept.keep(curve)

    if left:
        with _made_ready(path, settings, left, folder, scans, on_stage) as pool:
            started = time.perf_counter()
            if min(settings.processes, len(left)) > 1:
                _in_processes(pool, settings, left, finished_point, finished)
            else:
                for job in left:
                    finished(_replay(pool, arrays, settings, job, finished_point))
    order = {job: place for place, job in enumerate(jobs)}
    return sorted(curves, key=lambda curve: order[Job(curve.arm, curve.seed)])


def _taken_up(job: Job, kept: KeptCurves | None) -> Job:
    """The same job from where it was."""
    begun = None if kept is None else kept.find_begun(job.arm, job.seed)
    return Job(job.arm, job.seed, begun)


@contextmanager
def _made_ready(
    path: Path,
    settings: ReplaySettings,
    jobs: list[Job],
    folder: Path | None,
    scans: Path | None,
    on_stage: Stage,
) -> Iterator[ReplayedPool]:
    """What all jobs share; prepared pixels are gone with the block."""
    with scratch_folder(folder) as place:
        yield replayed_pool(
            path,
            [settings.arm(arm).model for arm in dict.fromkeys(job.arm for job in jobs)],
            scans=place / "scans" if scans is None else scans,
            prepared=place / "pixels",
            processes=settings.processes,
            on_stage=on_stage,
        )


def _replay(
    pool: ReplayedPool,
    arrays: PoolArrays,
    settings: ReplaySettings,
    job: Job,
    finished_point: Callable[[Begun], None],
) -> Curve:
    with _one_core():
        return replay_campaign(
            pool.view(arrays, settings.arm(job.arm).model),
            settings,
            arm=job.arm,
            seed=job.seed,
            finished_point=finished_point,
            begun=job.begun,
        )


@contextmanager
def _one_core() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        torch.set_num_threads(threads)


def _in_processes(
    pool: ReplayedPool,
    settings: ReplaySettings,
    jobs: list[Job],
    finished_point: Callable[[Begun], None],
    finished: Callable[[Curve], None],
) -> None:
    """Hand jobs to processes, one at a time each, and pass the curves on."""
    waiting = list(reversed(jobs))
    running = len(jobs)
    with _workers(pool, settings) as connections:
        for connection in connections:
            _send(connection, waiting.pop())
        while running:
            for connection in _speaking(connections):
                message = _receive(connection)
                if isinstance(message, Begun):
                    finished_point(message)
                    continue
                finished(message)
                running -= 1
                if waiting:
                    _send(connection, waiting.pop())


def _speaking(connections: list[Line]) -> list[Line]:
    ready = wait(connections)
    return [connection for connection in connections if connection in ready]


def _send(connection: Line, job: Job) -> None:
    with _noticing_death():
        connection.send(job)


def _receive(connection: Line) -> Begun | Curve:
    with _noticing_death():
        message = connection.recv()
    if isinstance(message, ALServiceError):
        raise message
    said: Begun | Curve = message
    return said


@contextmanager
def _noticing_death() -> Iterator[None]:
    """A line ends with its process; it breaks where the process had not listened."""
    try:
        yield
    except (EOFError, ConnectionError) as end:
        raise ReplayFailed(
            "a process of the replay died before its campaign was over: its last words "
            "are on standard error (out of memory leaves none)"
        ) from end


@contextmanager
def _workers(pool: ReplayedPool, settings: ReplaySettings) -> Iterator[list[Line]]:
    """Processes with a line to each; they end with the block, whatever happens."""
    context = multiprocessing.get_context("spawn")
    processes: list[SpawnProcess] = []
    connections: list[Line] = []
    try:
        for _ in range(settings.processes):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(theirs, pool, settings), daemon=True
            )
            process.start()
            theirs.close()
            processes.append(process)
            connections.append(ours)
        yield connections
    finally:
        for connection in connections:
            connection.close()
        for process in processes:
            process.terminate()
            process.join()


def _work(connection: Line, pool: ReplayedPool, settings: ReplaySettings) -> None:
    """Replay what comes down the line; the line's end is the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the other, and so this
    arrays = PoolArrays.open(pool.path)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            curve = _replay(pool, arrays, settings, job, connection.send)
        except ALServiceError as error:
            connection.send(error)
            return
        connection.send(curve)
