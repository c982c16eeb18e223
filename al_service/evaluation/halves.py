"""Evaluation labels in two halves: one calibrates intervals, one reports coverage."""

import hashlib


def is_calibration(object_id: str) -> bool:
    """Whether an evaluation object calibrates; otherwise it reports coverage.

    The half depends on the name alone, so that it is the same for every run, process
    and campaign.
    """
    return hashlib.sha256(f"half:{object_id}".encode()).digest()[0] % 2 == 0
