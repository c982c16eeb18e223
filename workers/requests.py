"""A task's message, acknowledged in a way that notices when the broker is gone."""

from celery.worker.request import Request


class HonestRequest(Request):  # type: ignore[misc] # Celery ships no types
    """Raises where an acknowledgment fails, so that the worker connects anew.

    Celery's own logs the failure and goes on. The message then counts as in work for
    ever, and a worker that takes one at a time never takes another.
    """

    acknowledged: bool

    def acknowledge(self) -> None:
        """Tell the broker that the work is done."""
        if not self.acknowledged:
            self.message.ack()
            self.acknowledged = True
