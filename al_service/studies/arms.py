"""The arms of a replay: a strategy's name, and settings that differ from the default.

`bait` is a strategy as a campaign has it, `bait:density_alpha=1:random_share=0.25` the
same with other settings. A setting is one of the strategy, of the model, or the share
of every batch that is random. `bait:modalities=photometry+image` hides all spectra.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from al_service.acquisition.config import DEFAULT_STRATEGY, Strategy, StrategyConfig
from al_service.acquisition.interest import Interest
from al_service.models.config import ModelConfig

DEFAULT: Final = "default"
"""Stands for the service's default strategy."""

CONTROL: Final = Strategy.RANDOM.value
"""Every ratio is against it, so that every replay runs it."""

_SHARE: Final = "random_share"

_MODALITIES: Final = "modalities"
"""The one setting that is a list: commas separate arms, so its names stand with `+`."""


@dataclass(frozen=True)
class Arm:
    """What one campaign of a replay does."""

    name: str
    strategy: StrategyConfig
    model: ModelConfig
    random_share: float = 0.0
    """Share of every batch that comes from the random sample."""

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        """The strategy's settings, and what else differs from other arms."""
        described = self.strategy.model_dump(mode="json")
        return described | {
            "model": self.model.model_dump(mode="json"),
            _SHARE: self.random_share,
        }


def known_names() -> list[str]:
    """Every strategy's name, `default` first."""
    return [DEFAULT, *(strategy.value for strategy in Strategy)]


def parse_arm(
    text: str, *, model: ModelConfig, interest: tuple[Interest, ...] = ()
) -> Arm:
    """Read an arm's name.

    Args:
        text: a strategy's name and settings, with colons between them.
        model: of the replay; settings of the arm differ from it.
        interest: declared for the replay: strategies that can heed it do.

    Raises:
        ValueError: the strategy or a setting does not exist, or has no such value.
    """
    name, *pairs = text.split(":")
    if name not in known_names():
        raise ValueError(
            f"strategies: expected names out of {', '.join(known_names())}, "
            f"found {name!r}"
        )
    given = {"strategy": {}, "model": {}, _SHARE: {}}  # type: dict[str, dict[str, Any]]  # Any: JSON
    for pair in pairs:
        key, _, value = pair.partition("=")
        given[_kind(key, text)][key] = _value(key, value)
    chosen = DEFAULT_STRATEGY if name == DEFAULT else Strategy(name)
    try:
        return Arm(
            text,
            StrategyConfig.model_validate(
                {"name": chosen, "interest": interest} | given["strategy"]
            ),
            ModelConfig.model_validate(model.model_dump() | given["model"]),
            _checked_share(given[_SHARE].get(_SHARE, 0.0)),
        )
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
        )
        raise ValueError(f"strategies: {text!r}: {said}") from error


def _kind(key: str, text: str) -> str:
    settings = {
        "strategy": StrategyConfig.model_fields.keys() - {"version", "name"},
        "model": ModelConfig.model_fields.keys() - {"version"},
        _SHARE: {_SHARE},
    }
    for kind, names in settings.items():
        if key in names:
            return kind
    known = sorted(set().union(*settings.values()))
    raise ValueError(
        f"strategies: {text!r}: expected settings out of {', '.join(known)}, "
        f"found {key!r}"
    )


def _value(key: str, text: str) -> Any:  # Any: what pydantic will check
    if key == _MODALITIES:
        return text.split("+")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _checked_share(share: Any) -> float:  # Any: as written
    if not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
        raise ValueError(f"strategies: {_SHARE}: expected 0 to 1, found {share!r}")
    return float(share)
