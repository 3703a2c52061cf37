"""The real MOGREPS-UK ensemble, from files to scores, against properscoring on the raw files."""

from pathlib import Path

import numpy as np
import properscoring
import pytest
import xarray as xr
import yaml

from stormdraw.ensembles.files import Case
from stormdraw.ensembles.system import CaseToMake
from stormdraw.fields.expected_grid import grid_of_truth
from stormdraw.fields.truth import TruthInputs, write_truth
from stormdraw.fields.truth_sources import VariableTruth
from stormdraw.fields.writing import Destination
from stormdraw.scores.case import score_case
from stormdraw.scores.settings import Scores
from stormdraw.scores.summary import summarise
from stormdraw.settings import Settings, load_settings

FILES = {
    "T2M": ("temperature_at_screen_level", "air_temperature"),
    "WIND10": ("horizontal_wind_speed_at_10m", "wind_speed"),
}


@pytest.fixture(scope="module")
def mogreps(root: Path, real_data: Path) -> Path:
    folder = real_data / "mogreps_uk"
    if not folder.is_dir():
        pytest.skip(f"no MOGREPS-UK at {folder}")
    return folder


@pytest.fixture(scope="module")
def settings(root: Path, mogreps: Path) -> Settings:
    """Those of config/mogreps.yaml, with the folder in place of its placeholder."""
    text = (root / "config" / "mogreps.yaml").read_text()
    return load_settings(yaml.safe_load(text.replace("mogreps_uk/", f"{mogreps}/")))


@pytest.fixture(scope="module")
def summary(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """(variable, metric) -> value, of both cases."""
    folder = tmp_path_factory.mktemp("mogreps")
    truths = {
        name: VariableTruth("UKV", files=settings.archive.truth_of(name).own_files)
        for name in settings.variables
    }
    truth = folder / "truth.nc"
    inputs = TruthInputs(times=settings.compared_times(), grid=grid_of_truth(settings))
    to = Destination(truth, folder / "truth.csv", settings.fields, {})
    write_truth(inputs, truths, to)
    (system,) = settings.ensembles.systems
    scores = Scores(neighbourhoods=[1], variogram_lags=[], maps=False)
    scored = []
    for init in settings.initial_times():
        members = folder / f"{init:%d}.nc"
        case = Case(system.name, "external", init, settings.leads, system.variables(settings, {}))
        made = CaseToMake(settings, case, members, {}, grid=truth, quality=folder / "quality.csv")
        system.write(made)
        scored.append(folder / f"scored_{init:%d}.nc")
        score_case(members, [truth], scored[-1], settings.seed, scores)
    table = summarise({"mogreps": scored}, scores, settings.seed)
    return {(row.variable, row.metric): row.value for row in table.itertuples()}


def raw(folder: Path, name: str, day: str) -> tuple[np.ndarray, np.ndarray]:
    """Members (member, y, x) and truth (y, x) of a day, as xarray reads them."""
    path, variable = FILES[name]
    with (
        xr.open_dataset(folder / "members" / f"{day}T0300Z-PT0012H-{path}.nc") as forecast,
        xr.open_dataset(folder / "truth" / f"{day}T1500Z-PT0000H-{path}.nc") as observed,
    ):
        return forecast[variable].values.astype(float), observed[variable].values.astype(float)


@pytest.mark.parametrize("name", list(FILES))
def test_scores_are_those_of_the_raw_files_by_other_peoples_code(mogreps, summary, name) -> None:
    """All points count alike on this equal-area map."""
    days = [raw(mogreps, name, day) for day in ("20170602", "20170603")]
    crps = np.mean(
        [properscoring.crps_ensemble(truth, np.moveaxis(own, 0, -1)).mean() for own, truth in days]
    )
    assert summary[name, "crps_standard"] == pytest.approx(crps, rel=1e-5)
    mse = np.mean([((own.mean(axis=0) - truth) ** 2).mean() for own, truth in days])
    assert summary[name, "rmse"] == pytest.approx(np.sqrt(mse), rel=1e-5)
    variance = np.mean([own.var(axis=0, ddof=1).mean() for own, _ in days])
    assert summary[name, "spread"] == pytest.approx(np.sqrt(variance), rel=1e-5)


def test_the_spread_is_too_small(summary) -> None:
    """As was known of these days: 56 to 74 % of temperatures lie outside the members."""
    assert 0.6 < summary["T2M", "spread_error_ratio"] < 0.75
