"""Intervals that cover what they promise."""

import numpy as np
import pytest

from al_service.posterior.calibration import fit_calibration
from al_service.posterior.predictions import LEVELS, Predictions


def overconfident(n: int, *, pattern: int = 1, seed: int = 0) -> Predictions:
    """Predictions of 0 that claim half of the spread of `labels`."""
    return Predictions(
        ("sfr_median",),
        patterns=np.full(n, pattern),
        center=np.zeros((n, 1)),
        epistemic_spread=np.zeros((n, 1)),
        aleatoric_spread=np.random.default_rng(seed).uniform(0.5, 2.0, (n, 1)),
    )


def labels(predictions: Predictions, seed: int = 1) -> np.ndarray[tuple[int, int]]:
    noise = np.random.default_rng(seed).laplace(size=(len(predictions), 1))
    return np.asarray(2.0 * predictions.aleatoric_spread * noise)


def coverage(predictions: Predictions, level: int, seed: int) -> float:
    low, high = predictions.interval(level)
    truth = labels(predictions, seed)
    return float(np.mean((low <= truth) & (truth <= high)))


@pytest.mark.parametrize("level", LEVELS)
def test_conformal_intervals_cover_new_objects_whatever_the_errors_look_like(
    level: int,
) -> None:
    known, new = overconfident(2_000), overconfident(20_000, seed=5)
    calibration = fit_calibration(known, labels(known))
    # Three standard deviations of the quantile of 2,000 scores.
    assert coverage(calibration.apply(new), level, 7) == pytest.approx(
        level / 100, abs=3 * np.sqrt(level / 100 * (1 - level / 100) / 2_000)
    )
    assert coverage(new, level, 7) < level / 100 - 0.05


def test_few_labels_scale_the_deviation_and_very_few_do_nothing() -> None:
    for n, calibrated in ((100, True), (20, True), (19, False)):
        known = overconfident(n)
        applied = fit_calibration(known, labels(known)).apply(known)
        assert applied.calibrated.all() == calibrated
        low, high = applied.interval(68)
        plain_low, plain_high = known.interval(68)
        factor = (high - low) / (plain_high - plain_low)
        # Laplace noise of scale 2 has a deviation of 2.8; 1 where nothing was done.
        assert factor[0, 0] == pytest.approx(2.83 if calibrated else 1.0, rel=0.35)


def test_every_pattern_is_calibrated_on_its_own() -> None:
    photometry, spectrum = overconfident(500), overconfident(30, pattern=5)
    both = Predictions(
        ("sfr_median",),
        np.concatenate([photometry.patterns, spectrum.patterns]),
        np.concatenate([photometry.center, spectrum.center]),
        np.concatenate([photometry.epistemic_spread, spectrum.epistemic_spread]),
        np.concatenate([photometry.aleatoric_spread, spectrum.aleatoric_spread]),
    )
    truth = labels(both)
    truth[500:] *= 10.0
    calibration = fit_calibration(both, truth)
    widths = dict(
        zip(calibration.widths.patterns, calibration.widths.widths, strict=True)
    )
    assert widths[5][0, 0] > 5 * widths[1][0, 0]
    stranger = calibration.apply(overconfident(5, pattern=2))
    assert not stranger.calibrated.any()


def test_a_calibration_of_other_targets_is_refused() -> None:
    known = overconfident(300)
    calibration = fit_calibration(known, labels(known))
    other = Predictions(**{**vars(known), "targets": ("sfr_avg",)})
    with pytest.raises(ValueError, match="expected targets"):
        calibration.apply(other)


def test_one_wrong_scan_among_few_labels_leaves_the_others_their_intervals() -> None:
    known = overconfident(50)
    truth = labels(known)
    honest = fit_calibration(known, truth).widths.widths
    truth[7] = 1e5
    assert (fit_calibration(known, truth).widths.widths < 2.0 * honest).all()
