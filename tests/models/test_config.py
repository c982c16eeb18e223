"""Choices about the network are complete, versioned and checked."""

import pytest
from pydantic import ValidationError

from al_service.models.config import ModelConfig


def test_a_configuration_survives_the_trip_through_json() -> None:
    config = ModelConfig(epochs=3)
    assert ModelConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    "fields", [{"epoch": 3}, {"version": 2}, {"dim": 250, "members": 4}, {"ema": 1.0}]
)
def test_what_is_unknown_or_impossible_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModelConfig.model_validate(fields)
