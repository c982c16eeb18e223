"""Evaluation labels in two halves: one calibrates intervals, one reports coverage."""

import hashlib


def is_calibration(group_id: str) -> bool:
    """Whether the evaluation objects of a galaxy calibrate, or report coverage.

    Two spectra of one galaxy share a half: an interval is not checked on a galaxy that
    has set its width. The half depends on the galaxy's name alone, so that it is the
    same for every run, process and campaign.
    """
    return hashlib.sha256(f"half:{group_id}".encode()).digest()[0] % 2 == 0
