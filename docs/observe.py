"""The telescope of the README: writes the known redshifts of a batch as labels.

python docs/observe.py batch.json labels.csv
"""

import csv
import json
import sys
from pathlib import Path

from al_service.survey.sdss10k import read_sdss10k


def observe(batch: Path, labels: Path) -> int:
    """Look up every object of a batch that `al batch next --json` has written.

    Returns:
        How many labels were written.
    """
    galaxies, _ = read_sdss10k()
    redshifts = dict(zip(galaxies.object_ids, galaxies.known_values[:, 0], strict=True))
    items = json.loads(batch.read_text())["items"]
    with labels.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["object_id", "z"])
        rows.writerows(
            [item["object_id"], redshifts[item["object_id"]]] for item in items
        )
    return len(items)


if __name__ == "__main__":
    observe(Path(sys.argv[1]), Path(sys.argv[2]))
