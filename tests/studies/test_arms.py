import pytest

from al_service.acquisition.config import Strategy
from al_service.acquisition.interest import Interest
from al_service.models.config import ModelConfig
from al_service.studies.arms import Arm, parse_arm


def arm(text: str) -> Arm:
    return parse_arm(text, model=ModelConfig())


def test_a_name_alone_is_the_strategy_as_a_campaign_has_it() -> None:
    assert arm("bait") == Arm("bait", arm("bait").strategy, ModelConfig())
    assert arm("default").strategy.name is Strategy.LCMD
    assert arm("kmeans++").strategy.name is Strategy.KMEANSPP


def test_settings_go_to_strategy_model_and_batch() -> None:
    found = arm("lcmd:density_alpha=1:beta=0.25:random_share=0.5")

    assert found.strategy.density_alpha == 1.0
    assert found.model.beta == 0.25
    assert found.random_share == 0.5


def test_an_arm_may_be_blind_to_some_modalities() -> None:
    found = arm("lcmd:modalities=photometry+image")

    assert found.model.modalities == ("photometry", "image")
    assert arm("lcmd:modalities=image").model.modalities == ("image",)


def test_the_declared_interest_is_heeded() -> None:
    declared = (Interest(target="z", low=0.2, weight=2.0),)

    found = parse_arm("epig", model=ModelConfig(), interest=declared)

    assert found.strategy.interest == declared


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lcdm", "expected names out of default, random"),
        ("lcmd:densety=1", "expected settings out of .*density_alpha"),
        ("lcmd:density_alpha=-1", "density_alpha"),
        ("lcmd:random_share=2", "expected 0 to 1, found 2"),
        ("lcmd:random_share=half", "expected 0 to 1, found 'half'"),
        ("lcmd:modalities=radio", "modalities.*photometry"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        arm(text)
