"""The telescope of the README: writes what a pool knows of a batch as labels.

python docs/observe.py batch.json labels.csv [--home .al]
"""

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from al_service.cli.home import DEFAULT_HOME, workplace
from al_service.rounds.campaigns import find_campaign
from al_service.survey.pool_arrays import PoolArrays
from db.repositories.pools import find_by_id


def observe(batch: Path, labels: Path, home: Path = DEFAULT_HOME) -> int:
    """Look up every object of a batch that `al batch next --json` has written.

    Of an object about which the pool knows nothing the label says that nothing is
    there to be measured: it has no value, which stands for quality 0.

    Returns:
        How many labels were written.
    """
    asked = json.loads(batch.read_text(encoding="utf-8"))
    with workplace(home) as place, place.sessions() as session:
        campaign = find_campaign(session, asked["campaign_id"])
        pool = find_by_id(session, campaign.pool_id)
        targets = campaign.targets
        if pool is None or not pool.known_targets:
            raise SystemExit(f"the pool of {campaign.name} knows no labels")
        arrays = PoolArrays.open(place.settings.artifacts_folder / pool.arrays)
    known = [target for target in targets if target in arrays.targets]
    wanted = [item["object_id"] for item in asked["items"]]
    with labels.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["object_id", *known, *(f"{target}_err" for target in known)])
        rows.writerows(_measured(arrays, wanted, known))
    return len(wanted)


def _measured(
    arrays: PoolArrays, wanted: list[str], known: list[str]
) -> Iterator[list[str | float]]:
    columns = [arrays.targets.index(target) for target in known]
    row_of = {name: row for row, name in enumerate(arrays.object_ids.tolist())}
    for name in wanted:
        row = row_of[name]
        found = [*arrays.known_values[row, columns], *arrays.known_errors[row, columns]]
        yield [name, *("" if np.isnan(one) else float(one) for one in found)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("batch", type=Path, help="what al batch next --json wrote")
    parser.add_argument("labels", type=Path, help="the file to write")
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME)
    given = parser.parse_args()
    observe(given.batch, given.labels, given.home)
