"""What a simulation takes is known before it begins."""

import shutil
from pathlib import Path

import pytest

from al_service.errors import InvalidInput
from al_service.survey.simulation.plan import MOST_OBJECTS, plan_simulation
from al_service.survey.simulation.settings import default_settings
from al_service.survey.simulation.simulate import simulate

N = 256


def test_a_plan_is_about_what_comes_and_never_less(tmp_path: Path) -> None:
    plan = plan_simulation(N, default_settings())
    pool = simulate(tmp_path / "sky", N, seed=0)
    assert plan.images == pytest.approx(pool.flags["image"].sum(), rel=0.1)
    assert plan.spectra == pytest.approx(pool.flags["spectrum"].sum(), rel=0.1)
    written = sum(
        path.stat().st_size for path in pool.path.rglob("*") if path.is_file()
    )
    assert 0.5 * plan.size < written < plan.size


def test_what_has_no_pixels_takes_no_room() -> None:
    gaps = {"without_image": 1.0, "without_spectrum": 1.0}
    bare = default_settings().with_changes({"gaps": gaps})
    plan = plan_simulation(N, bare)
    assert (plan.images, plan.spectra) == (0, 0)
    assert plan.size < plan_simulation(N, default_settings()).size / 50


@pytest.mark.parametrize("n_objects", [0, -1, MOST_OBJECTS + 1, 10**30])
def test_a_number_that_makes_no_sense_is_refused(n_objects: int) -> None:
    with pytest.raises(InvalidInput, match="expected 1 to 10,000,000, found"):
        plan_simulation(n_objects, default_settings())


def test_a_disk_that_is_too_small_is_noticed_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An absurd number has once filled a disk until nobody could work on it."""
    total, used, free = 10**9, 10**9 - 300_000_000, 300_000_000
    there = shutil._ntuple_diskusage(total, used, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: there)
    with pytest.raises(InvalidInput, match="4,000 objects take, found 300,000,000"):
        simulate(tmp_path / "sky", 4000, seed=0)
    assert list(tmp_path.iterdir()) == []
