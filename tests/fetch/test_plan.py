from pathlib import Path

from al_service.fetch.plan import Plan, plan_transfer
from al_service.fetch.sas import Field, Observation, frame_file, spectrum_file

SPECTRUM = spectrum_file(Observation(266, 51602, 31, "26"), release=17)
FRAMES = [frame_file(Field(756, 301, 4, 206), band, release=17) for band in "ugr"]


def test_a_plan_counts_what_is_wanted_and_weighs_what_is_not_here(
    tmp_path: Path,
) -> None:
    (tmp_path / FRAMES[0].name).parent.mkdir()
    (tmp_path / FRAMES[0].name).write_bytes(b"here")

    plan = plan_transfer([SPECTRUM, *FRAMES], tmp_path, objects=1, per_second=5.0)

    assert (plan.spectra, plan.frames, plan.here, plan.to_fetch) == (1, 3, 1, 3)
    assert plan.bytes_to_fetch == 173_000 + 2 * 3_000_000


def test_the_time_is_set_by_requests_or_by_bytes() -> None:
    many_small = Plan(1000, 1000, 0, 0, 1000, per_second=5.0)
    few_large = Plan(1, 0, 10, 0, 50 * 10**6, per_second=5.0)

    assert many_small.seconds == 200.0
    assert few_large.seconds == 10.0
