"""docs/objects.md is true: its requests are answered, its program runs."""

import re
from pathlib import Path

import pytest

from al_service.client import LabelCheck
from db.repositories.label_checks import APART, APART_QUASAR, SURE
from db.vocabulary import Role
from tests.api.conftest import Door, Sky
from tests.rounds.spectral_pools import REDSHIFTS, import_spectral_pool

PAGE = (Path(__file__).parents[2] / "docs" / "objects.md").read_text(encoding="utf-8")

ROW = 5
"""Of an object that has an image and a spectrum."""


@pytest.fixture(scope="module", autouse=True)
def night(sky: Sky) -> None:
    """The pool of the page."""
    (name,) = set(re.findall(r"\d{4}-\d{5}-\d{4}", PAGE))
    import_spectral_pool(
        sky.database.sessions,
        sky.settings.artifacts_folder,
        "night",
        called={ROW: name},
    )


def test_every_request_of_the_page_is_answered(door: Door) -> None:
    addresses = re.findall(r'curl -H "\$AUTH" "\$URL(\S+)"', PAGE)
    assert len(addresses) == 4
    for address in addresses:
        answer = door.viewer.get(address)
        assert answer.status_code == 200, answer.text


def test_the_program_of_the_page_runs(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, object] = {"url": f"{door.url}/?token={door.secrets[Role.VIEWER]}"}
    exec(compile(program, "objects.md", "exec"), names)  # noqa: S102 - our own page
    assert f"GALAXY at z = {REDSHIFTS[ROW]:.4f}" in capsys.readouterr().out
    picture = names["picture"]
    assert isinstance(picture, bytes)
    assert picture.startswith(b"\x89PNG")


def test_the_page_names_every_member_of_a_spectrum(door: Door) -> None:
    address = re.findall(r'"\$URL(\S+spectrum\S*)"', PAGE)[0]
    members = set(door.viewer.get(address).json()) - {"object_id", "pool"}
    rows = re.findall(r"^\| (`[^|]*) \|", PAGE, flags=re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == members


def test_the_page_says_when_a_label_is_flagged() -> None:
    words = " ".join(PAGE.split())
    assert f"at least {SURE:.0%}" in words.replace(" %", "%")
    assert f"beyond {APART:g} (1 + z), for quasars {APART_QUASAR:.2f} (1 + z)" in words
    (members,) = re.findall(r"`\{(scan_z[^}]*)\}`", words)
    assert members.split(", ") == list(LabelCheck.__dataclass_fields__)
