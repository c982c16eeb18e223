"""What looking at images, spectra and photometry together is worth.

`python -m al_service.studies.fusion_accuracy --objects 8000` simulates a survey, trains
the fusion network and one network for every modality alone through the same code path,
and examines them on other galaxies: with everything that they have, with some of it
hidden, and with intervals calibrated on one half and counted on the other.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.features.pool_scan import scan_pool
from al_service.features.preparation import COLUMNS_OF, IMAGE, PHOTOMETRY, SPECTRUM
from al_service.features.scanned_redshift import BELIEVED_FROM
from al_service.models.config import ModelConfig
from al_service.models.network import Network
from al_service.posterior.calibration import fit_calibration
from al_service.posterior.features import Features, extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.head import Head, fit_head
from al_service.posterior.predictions import Predictions
from al_service.studies.fusion_forest import forest_predictions
from al_service.studies.hiding import only
from al_service.survey.inputs import Inputs
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import PoolView, whole_pool
from al_service.survey.simulation.simulate import simulate

Floats = NDArray[np.float64]

FUSION: Final = "fusion"
FOREST: Final = "forest"

TEST_SHARE: Final = 0.25
"""Of the galaxies, drawn at random; repeats of one galaxy stay together."""

ALONE: Final = (IMAGE, SPECTRUM, PHOTOMETRY)
"""Every modality has a network that may look at nothing else."""

SUBSETS: Final[Mapping[str, tuple[str, ...]]] = {
    "everything": (IMAGE, SPECTRUM, PHOTOMETRY),
    "no spectrum": (IMAGE, PHOTOMETRY),
    "no image": (SPECTRUM, PHOTOMETRY),
    "image": (IMAGE,),
    "spectrum": (SPECTRUM,),
    "photometry": (PHOTOMETRY,),
}
"""What of objects that have everything a model is shown."""


@dataclass(frozen=True)
class FusionFigure:
    """One model on objects that have everything, some of it hidden."""

    model: str
    shown: str
    """One of `SUBSETS`."""
    target: str
    rmse: float
    """Of z as dz, of all others in the target's unit."""
    crps: float
    coverage68: float
    """Of intervals calibrated on the other half of the objects; NaN without any."""
    coverage95: float
    n: int


@dataclass(frozen=True)
class Trained:
    """A model, and what it cost."""

    network: Network
    head: Head
    known: Features
    """Of the labeled objects."""
    fit_seconds: float
    """Of processor time."""

    @property
    def participation(self) -> tuple[float, float]:
        """Directions that count in φ, raw and whitened: (Σλ)² / Σλ²."""
        whitened = self.known.phi.astype(np.float64)
        raw = whitened @ np.linalg.pinv(self.network.whitening.matrix)
        return _participation(raw), _participation(whitened)


@dataclass(frozen=True)
class FusionReport:
    """Everything that was measured."""

    figures: list[FusionFigure]
    trained: Mapping[str, Trained]
    epistemic_share: Mapping[str, float]
    """Target to the mean share of the weights in the fusion's variance."""
    scan_rmse: float
    """Of dz where the scan is believed, scan alone."""
    fused_rmse: float
    """Of dz of the fusion on the same objects."""


def measure_fusion(
    arrays: PoolArrays,
    scans: Path,
    *,
    config: ModelConfig | None = None,
    seed: int = 0,
) -> FusionReport:
    """Train and examine every model once.

    Args:
        arrays: a pool with images, spectra, photometry and known labels.
        scans: folder of the redshift scans of pools.
        config: of all networks; default: `ModelConfig()`.
        seed: draws the galaxies that examine, and the training.
    """
    view = _scanned_view(arrays, scans)
    train, test = _split(arrays, seed)
    trained = _train_all(view, train, config or ModelConfig(), seed)
    complete = test[_has_everything(arrays)[test]]
    inputs, truth = view.of(complete).take(slice(None)), arrays.known_values[complete]
    figures: list[FusionFigure] = []
    for model, shown in _arms():
        figures += _figures(
            model, shown, _predict(trained[model], inputs, shown), truth
        )
    forest = forest_predictions(view, train, complete, seed=seed)
    figures += _point_figures(FOREST, IMAGE, arrays.targets, forest, truth)
    fused = _predict(trained[FUSION], inputs, "everything")
    share = fused.epistemic**2 / (fused.epistemic**2 + fused.aleatoric**2)
    return FusionReport(
        figures,
        trained,
        dict(zip(arrays.targets, share.mean(axis=0).tolist(), strict=True)),
        *_scan_against_fusion(inputs, fused, truth, arrays.targets),
    )


def _train_all(
    view: PoolView, rows: NDArray[np.int64], config: ModelConfig, seed: int
) -> dict[str, Trained]:
    """The fusion, and every modality alone."""
    allowed = [(FUSION, None), *((name, (name,)) for name in ALONE)]
    return {name: _train(view, rows, config, some, seed) for name, some in allowed}


def _arms() -> list[tuple[str, str]]:
    """Model, and what it is shown."""
    fusion = [(FUSION, shown) for shown in SUBSETS]
    return fusion + [(name, name) for name in ALONE]


def _scanned_view(arrays: PoolArrays, scans: Path) -> PoolView:
    found = scan_pool(arrays, scans)
    scan = np.stack([found.z, found.z_error, found.confidence], axis=1)
    return whole_pool(arrays, scan=scan)


def _split(
    arrays: PoolArrays, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that train and rows that examine; no galaxy is in both."""
    names, groups = np.unique(arrays.group_ids, return_inverse=True)
    drawn = np.random.default_rng(seed).random(len(names)) < TEST_SHARE
    known = np.isfinite(arrays.known_values).any(axis=1)
    examines = drawn[groups]
    return np.flatnonzero(known & ~examines), np.flatnonzero(known & examines)


def _has_everything(arrays: PoolArrays) -> NDArray[np.bool_]:
    return np.asarray(np.all([arrays.flags[name] for name in COLUMNS_OF], axis=0))


def _train(
    view: PoolView,
    rows: NDArray[np.int64],
    config: ModelConfig,
    modalities: tuple[str, ...] | None,
    seed: int,
) -> Trained:
    arrays, started = view.arrays, process_time()
    values, errors = arrays.known_values[rows], arrays.known_errors[rows]
    network = fit_network(
        TrainingSet(view.of(rows), values, errors, None, arrays.group_ids[rows]),
        targets=arrays.targets,
        config=config.model_copy(update={"modalities": modalities}),
        seed=seed,
    )
    known = extract(network, view.of(rows))
    head = fit_head(network, known, values, errors)
    return Trained(network, head, known, process_time() - started)


def _predict(trained: Trained, inputs: Inputs, shown: str) -> Predictions:
    seen = only(inputs, SUBSETS[shown])
    return trained.head.predict(extract(trained.network, seen))


def _figures(
    model: str, shown: str, predictions: Predictions, truth: Floats
) -> list[FusionFigure]:
    """Errors on all objects; coverage on every second, calibrated on the others."""
    calibrates = np.arange(len(truth)) % 2 == 0
    calibration = fit_calibration(predictions.take(calibrates), truth[calibrates])
    counted = calibration.apply(predictions.take(~calibrates))
    covered = [_coverage(counted, truth[~calibrates], level) for level in (68, 95)]
    crps = np.nanmean(predictions.crps(truth), axis=0)
    points = _point_figures(model, shown, predictions.targets, predictions.mean, truth)
    return [
        replace(
            point,
            crps=float(crps[column]),
            coverage68=float(covered[0][column]),
            coverage95=float(covered[1][column]),
        )
        for column, point in enumerate(points)
    ]


def _point_figures(
    model: str, shown: str, targets: Sequence[str], predicted: Floats, truth: Floats
) -> list[FusionFigure]:
    error = predicted - truth
    known = np.isfinite(error)
    squares = np.where(known, error, 0.0) ** 2
    count = known.sum(axis=0)
    return [
        FusionFigure(
            model,
            shown,
            target,
            float(np.sqrt(squares[:, t].sum() / count[t])),
            np.nan,
            np.nan,
            np.nan,
            int(count[t]),
        )
        for t, target in enumerate(targets)
        if count[t]
    ]


def _coverage(predictions: Predictions, truth: Floats, level: int) -> Floats:
    low, high = predictions.interval(level)
    inside = np.where(np.isfinite(truth), (low <= truth) & (truth <= high), np.nan)
    return np.asarray(np.nanmean(inside, axis=0))


def _scan_against_fusion(
    inputs: Inputs, fused: Predictions, truth: Floats, targets: Sequence[str]
) -> tuple[float, float]:
    if inputs.scan is None:
        return np.nan, np.nan
    z = truth[:, targets.index("z")]
    rows = np.isfinite(z) & (inputs.scan[:, 2] >= BELIEVED_FROM)
    alone = inputs.scan[rows, 0] - z[rows]
    together = fused.mean[rows, targets.index("z")] - z[rows]
    return float(np.sqrt(np.mean(alone**2))), float(np.sqrt(np.mean(together**2)))


def _participation(phi: Floats) -> float:
    values = np.linalg.eigvalsh(np.cov(phi.T))
    return float(values.sum() ** 2 / (values**2).sum())


def lines_of(report: FusionReport) -> list[str]:
    """The report as text, one line per figure."""
    made = [
        f"{'model':<12}{'shown':<13}{'target':<13}"
        f"{'rmse':>9}{'crps':>9}{'cov68':>7}{'cov95':>7}{'n':>6}"
    ]
    made += [
        f"{one.model:<12}{one.shown:<13}{one.target:<13}"
        f"{one.rmse:>9.5f}{one.crps:>9.5f}"
        f"{one.coverage68:>7.3f}{one.coverage95:>7.3f}{one.n:>6}"
        for one in report.figures
    ]
    for name, trained in report.trained.items():
        raw, white = trained.participation
        made.append(
            f"{name}: {trained.network.n_parameters} parameters, "
            f"{trained.fit_seconds:.0f} s of processor time to fit, "
            f"participation ratio {raw:.1f} raw, {white:.1f} whitened"
        )
    shares = ", ".join(f"{t} {s:.3f}" for t, s in report.epistemic_share.items())
    made.append(f"epistemic share of the fusion's variance: {shares}")
    made.append(
        f"z where a scan is believed: scan {report.scan_rmse:.6f}, "
        f"fusion {report.fused_rmse:.6f}"
    )
    return made


def main() -> None:
    """Simulate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pool", type=Path, help="a simulated pool that exists")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        arrays = (
            PoolArrays.open(given.pool)
            if given.pool is not None
            else simulate(Path(folder) / "pool", given.objects, seed=given.seed)
        )
        report = measure_fusion(arrays, Path(folder) / "scans", seed=given.seed)
    sys.stdout.write("\n".join(lines_of(report)) + "\n")


if __name__ == "__main__":
    main()
