import pytest
import typer

from al_service.acquisition.interest import Interest
from al_service.cli.interest import parse_interest


def test_ranges_with_one_end_or_two() -> None:
    assert parse_interest("z>0.2:2") == Interest(target="z", low=0.2, weight=2.0)
    assert parse_interest("z < 0.1 : .5") == Interest(target="z", high=0.1, weight=0.5)
    between = Interest(target="sfr_median", low=-1.0, high=1e0, weight=4.0)
    assert parse_interest("-1<sfr_median<1e0:4") == between


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("z", "such as z>0.2:2"),
        ("z>0.2", "such as z>0.2:2"),
        ("0.3<z<0.2:2", "low < high"),
        ("redshift>0.2:2", "Input should be"),
    ],
)
def test_what_is_no_range_is_bad_usage(text: str, said: str) -> None:
    with pytest.raises(typer.BadParameter, match=said):
        parse_interest(text)
