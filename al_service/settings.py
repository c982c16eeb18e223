"""Configuration, read once from the environment into one frozen object."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the service needs to know about the place where it runs.

    Every field is an environment variable with the prefix `AL_`: `database_url` is
    `AL_DATABASE_URL`. A value that cannot be read stops the program at its start
    with the name of the variable.
    """

    model_config = SettingsConfigDict(env_prefix="AL_", frozen=True, extra="ignore")

    home: Path = Path(".al")
    """Folder of the laptop stack: its servers' data, secrets, logs and artifacts."""

    database_url: str | None = None
    """`postgresql+psycopg://…`; without it the PostgreSQL of `home` is used."""

    broker_url: str | None = None
    """`redis://…` or `redis+socket://…`; without it the Valkey of `home` is used."""

    artifacts: Path | None = None
    """Folder of arrays and checkpoints, shared by API and workers.

    Default: `home/artifacts`.
    """

    host: str = "127.0.0.1"
    """Address on which the API listens."""

    port: int = Field(default=8151, ge=0, le=65535)
    """Port on which the API listens; 0 takes any free one."""

    log_level: str = "INFO"

    body_limit: int = Field(default=16 * 2**20, gt=0)
    """Largest request body in bytes; a larger one is answered with 413."""

    worker_seen_seconds: float = Field(default=30.0, gt=0)
    """`/readyz` wants a worker that has shown itself within this time."""

    heartbeat_seconds: float = Field(default=3.0, gt=0)
    """How often a worker beats the row of its run."""

    stale_seconds: float = Field(default=30.0, gt=0)
    """A running run without a beat for this long may be taken up by another worker."""

    max_attempts: int = Field(default=3, ge=1)
    """A run that was taken up this often and never finished has failed."""

    run_deadline_seconds: float = Field(default=6 * 3600.0, gt=0)
    """A run that takes longer than this is stopped and has failed."""

    sweep_seconds: float = Field(default=2.0, gt=0)
    """How often the schedule looks for expired leases, due runs and lost messages;
    `/readyz` wants one that succeeded within three of these times, and not less than
    `worker_seen_seconds`."""

    ranking_size: int = Field(default=20_000, ge=1)
    """How many candidates a ranking orders: the head of the queue."""

    score_chunk: int = Field(default=8192, ge=1)
    """Objects scored at a time: memory is bounded by it, and work lost to a crash."""

    skyserver_url: str = Field(
        default="https://skyserver.sdss.org", pattern=r"^https?://"
    )
    """SkyServer, which `al fetch` asks for the sample."""

    archive_url: str = Field(default="https://data.sdss.org/sas", pattern=r"^https?://")
    """The Science Archive Server, from which `al fetch` takes spectra and frames."""

    fetch_retry_seconds: float = Field(default=1.0, gt=0)
    """`al fetch` waits this long before its first retry; each next wait is doubled."""

    @property
    def artifacts_folder(self) -> Path:
        """Where arrays and checkpoints are."""
        return self.artifacts if self.artifacts is not None else self.home / "artifacts"

    @property
    def sweep_within(self) -> timedelta:
        """Without a sweep for so long something is wrong with the schedule."""
        return timedelta(seconds=max(self.worker_seen_seconds, 3 * self.sweep_seconds))

    @property
    def stale_after(self) -> timedelta:
        """`stale_seconds` as a duration."""
        return timedelta(seconds=self.stale_seconds)
