import base64
import re
from pathlib import Path

from al_service.studies.experiment.markdown import as_markdown
from al_service.studies.experiment.page import as_page
from al_service.studies.experiment.running import run_experiment, trials_folder
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.table import comparisons, lines_of
from tests.studies.experiment.skies import small_settings

PNG = b"\x89PNG"


def test_the_page_needs_no_other_file_and_the_markdown_has_every_system(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    settings = small_settings(
        systems=("marginal", "linear_photometry", "photometry_mlp")
    )
    trials = run_experiment(photometric_sky, settings, tmp_path)
    place = tmp_path / trials_folder(photometric_sky, settings)
    lines = lines_of(trials)
    kept = [(trial, place / f"{trial['system']}-0") for trial in trials]

    page = as_page(settings, lines, comparisons(lines), kept)
    text = as_markdown(settings, lines, comparisons(lines))

    for name in settings.systems:
        assert f"<td>{name}</td>" in page
        assert f"| {name} | " in text
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    # Cost, density, percentiles, calibration, selection; UMAP and t-SNE of φ.
    assert len(pictures) == 7
    assert all(base64.b64decode(one).startswith(PNG) for one in pictures)
    assert "http" not in page
    assert "src=" not in page.replace('src="data:', "")
