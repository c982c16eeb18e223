import base64
import re
from pathlib import Path

from al_service.studies.experiment.cells import number, table_of
from al_service.studies.experiment.markdown import as_markdown
from al_service.studies.experiment.page import as_page
from al_service.studies.experiment.report import Report
from al_service.studies.experiment.running import run_experiment, trials_folder
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.stored_predictions import StoredPredictions
from al_service.studies.experiment.system import Family
from al_service.studies.experiment.table import Line
from tests.studies.experiment.skies import small_settings

PNG = b"\x89PNG"


def line(system: str, family: Family, error: float) -> Line:
    """One line of the table of median rates."""
    return Line(
        system,
        family,
        inputs=("image",),
        hides=False,
        target="sfr_median",
        errors={0: error},
        metrics={"rmse": error},
        intervals={},
        fit_seconds=1.0,
        predict_seconds=1.0,
        n_parameters=1.0,
        peak_memory_mb=1.0,
    )


def stored_below(
    place: Path, settings: ExperimentSettings
) -> dict[str, StoredPredictions]:
    """What the page shows of each system."""
    return {
        name: StoredPredictions.read(place / f"{name}-0") for name in settings.systems
    }


def test_the_ceiling_stands_first_and_beside_every_error() -> None:
    network = line("image_cnn", Family.NETWORK, 0.3)
    ceiling = line("ceiling", Family.CEILING, 0.2)

    header, rows = table_of("sfr_median", [network, ceiling])

    assert [row[0] for row in rows] == ["ceiling", "image_cnn"]
    assert [row[header.index("÷ ceiling")] for row in rows] == ["1", "1.5"]
    assert "÷ ceiling" not in table_of("sfr_median", [network])[0]


def test_a_ceiling_without_error_bounds_nothing() -> None:
    network = line("image_cnn", Family.NETWORK, 0.3)

    header, rows = table_of(
        "sfr_median", [line("ceiling", Family.CEILING, 0.0), network]
    )

    assert [row[header.index("÷ ceiling")] for row in rows] == ["", ""]


def test_seconds_of_an_hour_are_written_out() -> None:
    assert [number(one) for one in (3600.4, 0.02345, None)] == ["3,600", "0.0234", ""]


def test_the_page_needs_no_other_file_and_the_markdown_has_every_system(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    settings = small_settings(
        systems=("marginal", "linear_photometry", "photometry_mlp")
    )
    trials = run_experiment(photometric_sky, settings, tmp_path)
    place = tmp_path / trials_folder(photometric_sky, settings)
    report = Report.of(settings, trials)

    page = as_page(report, stored_below(place, settings))
    text = as_markdown(report)

    for name in settings.systems:
        assert f"<td>{name}</td>" in page
        assert f"| {name} | " in text
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    # Cost, density, percentiles, calibration, selection; UMAP and t-SNE of φ.
    assert len(pictures) == 7
    assert 'alt=""' not in page
    assert 'alt="z: predicted against true"' in page
    assert all(base64.b64decode(one).startswith(PNG) for one in pictures)
    assert "http" not in page
    assert "src=" not in page.replace('src="data:', "")


def test_features_are_those_of_a_system_that_knows_what_it_does_not_know(
    whole_sky: ExperimentSky, tmp_path: Path
) -> None:
    """They were those of the last system, whose picture of uncertainty was blank."""
    settings = small_settings(
        systems=("photometry_mlp", "pyro_last_layer", "greedy_rebalancing"),
        n_train=60,
        n_validation=12,
        n_test=24,
    )
    trials = run_experiment(whole_sky, settings, tmp_path)
    place = tmp_path / trials_folder(whole_sky, settings)
    drawn: list[tuple[int, int]] = []

    page = as_page(
        Report.of(settings, trials, ("z",)),
        stored_below(place, settings),
        lambda done, total: drawn.append((done, total)),
    )

    assert "Features of pyro_last_layer</h2>" in page
    assert drawn == [(0, 2), (1, 2), (2, 2)]
