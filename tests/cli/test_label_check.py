from pathlib import Path

import pytest

from al_service.cli.label_check import BadLabelFile, naming_lines
from al_service.cli.label_file import LabelRow
from al_service.errors import InvalidLabels, Problem
from al_service.rounds.labeling import NewLabel

ROWS = [
    LabelRow(line, NewLabel(object_id=f"galaxy {line}", values={"z": 0.1}), ())
    for line in (2, 3)
]


@pytest.mark.parametrize(
    ("n_stored", "said"), [(0, "nothing was stored"), (2000, "2000 labels before them")]
)
def test_a_refusal_half_way_says_how_many_labels_were_stored_before(
    n_stored: int, said: str
) -> None:
    """It said that nothing was stored after thousands had been."""
    with (
        pytest.raises(BadLabelFile) as refused,
        naming_lines(Path("z.csv"), ROWS, n_stored=n_stored),
    ):
        raise InvalidLabels([Problem("labels[1].values.z", "is too late")])
    assert said in str(refused.value)
    assert "z.csv:3: values.z: is too late" in str(refused.value)
