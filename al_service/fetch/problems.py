"""What goes wrong between here and an archive: what passes, and what stays."""

from al_service.errors import ALServiceError


class FetchProblem(ALServiceError):
    """Something could not be fetched, and trying again now would not help."""


class PassingProblem(FetchProblem):
    """Trying again may help: a cut connection, a busy server, a damaged file.

    Args:
        message: what was asked, what came.
        wait_seconds: how long the server wants us to wait; None if it did not say.
    """

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class NotThere(FetchProblem):
    """The archive has no such file."""


class NotWhole(PassingProblem):
    """What came is not what was published: truncated, changed, or something else."""


class RefusedQuery(FetchProblem):
    """SkyServer understood the request and answered that it will not, or cannot."""


class RoundedIds(FetchProblem):
    """Identifiers went through a float64 and name other objects now."""


class OtherSample(FetchProblem):
    """The folder holds a sample that was asked for with other words."""
