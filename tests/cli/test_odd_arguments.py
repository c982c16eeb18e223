"""What nobody means is refused with a sentence, before anything happens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from al_service.errors import InvalidInput, NotFound
from tests.cli.commands import Commands, commands_on
from tests.conftest import PostgresForTests

HUGE = "9" * 30

LONG = "7" * 5000
"""More digits than Python takes for a number."""


@pytest.fixture(scope="module")
def al(
    postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Commands]:
    home = tmp_path_factory.mktemp("odd") / "home"
    with commands_on(postgres, "odd_arguments", home) as commands:
        yield commands


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("batch", "explain", HUGE), "ID"),
        (("batch", "replay", "0"), "ID"),
        (("batch", "next", "first", "--size", "1e9"), "--size"),
        (("pool", "simulate", "sky", "--objects", HUGE), "--objects"),
        (("pool", "simulate", "sky", "--objects", "9", "--seed", HUGE), "--seed"),
        (("pool", "simulate", "sky", "--objects", "9", "--junk", "nan"), "--junk"),
        (("fetch", "--rate", "nan"), "--rate"),
        (("fetch", "--timeout", "inf"), "--timeout"),
        (("label", "import", "first", __file__, "--radius", "nan"), "--radius"),
        (("label", "import", "first", __file__, "--batch", HUGE), "--batch"),
        (("campaign", "create", "a", "--pool", "b", "--model", "[1]"), "--model"),
        (
            ("campaign", "create", "a", "--pool", "b", "--model", '{"clip": NaN}'),
            "found NaN",
        ),
        (
            ("campaign", "create", "a", "--pool", "b", "--model", '{"clip": 1e999}'),
            "clip",
        ),
        (
            ("campaign", "create", "a", "--pool", "b", "--model", '{"dim": 100000}'),
            "dim",
        ),
        (
            ("campaign", "create", "a", "--pool", "b", "--random-share", "nan"),
            "random_share",
        ),
        (("campaign", "create", "a", "--pool", "b", "--seed", HUGE), "seed"),
        (("campaign", "create", "a", "--pool", "b", "--budget", HUGE), "budget"),
    ],
)
def test_a_number_that_cannot_be_is_bad_usage(
    al: Commands, words: tuple[str, ...], said: str
) -> None:
    refused = al.run(*words)
    assert refused.exit_code == 2, refused.exception
    assert said in refused.output


@pytest.mark.parametrize("seconds", ["nan", "1e300", "-1"])
def test_a_reservation_of_no_duration_is_refused(al: Commands, seconds: str) -> None:
    al.run("campaign", "create", "first", "--pool", "sdss10k")
    refused = al.run("batch", "next", "first", "--lease-seconds", seconds)
    assert isinstance(refused.exception, InvalidInput)
    assert "lease_seconds: expected more than 0" in str(refused.exception)


@pytest.mark.parametrize("name", [LONG, HUGE, "x" * 100_000])
def test_a_campaign_of_an_endless_name_is_not_found(al: Commands, name: str) -> None:
    """Thousands of digits ended with a traceback, a long name filled the screen."""
    refused = al.run("campaign", "status", name)
    assert isinstance(refused.exception, NotFound)
    assert len(str(refused.exception)) < 300


@pytest.mark.parametrize("name", ["a\0b", "\udcff"])
def test_a_name_that_no_database_holds_is_refused(al: Commands, name: str) -> None:
    refused = al.run("campaign", "status", name)
    assert isinstance(refused.exception, InvalidInput)
    assert "Traceback" not in refused.output


def test_settings_that_are_none_are_refused(al: Commands, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(b"\xff\x00 = [[[")
    refused = al.run(
        "pool", "simulate", "sky", "--objects", 9, "--settings", tmp_path / "own.toml"
    )
    assert isinstance(refused.exception, InvalidInput)
    assert "expected TOML" in str(refused.exception)
