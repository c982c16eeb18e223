"""The machine on which something was measured.

A file of its own: processes whose memory is measured do not import torch for it.
"""

import os
import platform
from importlib.metadata import version
from typing import Any

import numpy as np
import threadpoolctl
import torch


def surroundings() -> dict[str, Any]:  # Any: JSON
    """Machine, threads and load: numbers mean nothing without them."""
    return {
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": [round(one, 2) for one in os.getloadavg()],
        "threads": {
            "blas": max(
                (
                    pool["num_threads"]
                    for pool in threadpoolctl.threadpool_info()
                    if pool["user_api"] == "blas"
                ),
                default=1,
            ),
            "torch": torch.get_num_threads(),
        },
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
            "scikit-learn": version("scikit-learn"),
            "al-service": version("al-service"),
        },
    }
