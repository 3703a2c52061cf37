"""A score is one file: nothing else has to know it."""

import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from stormdraw.code_digest import modules_behind
from stormdraw.grids import Grid
from stormdraw.report.evidence import evidence
from stormdraw.report.matrix import choices
from stormdraw.scores import registry, statistics
from stormdraw.scores.case import score_case
from stormdraw.scores.maps import MapSums
from stormdraw.scores.memory import case_bytes, summary_bytes
from stormdraw.scores.parameters import PARAMETERS
from stormdraw.scores.pooled import pooled_tables
from stormdraw.scores.score import Metric
from stormdraw.scores.settings import Scores
from stormdraw.scores.summary import summarise
from stormdraw.settings import Settings, load_settings

INIT = datetime(2026, 6, 8, 6)
SCORES = Scores(thresholds={"REFC": [10.0, 20.0]}, neighbourhoods=[1, 3])

NEW = """
import numpy as np

from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.sums import Cases
from stormdraw.scores.verification import Points


def _error(points: Points) -> np.ndarray:
    if not points.members:
        return np.full(points.truth.shape, np.nan)
    return np.abs(np.median(points.errors, axis=1))


def _sums(points: Points) -> Arrays:
    if not points.members:
        return {}
    order = np.sort(np.abs(points.errors), axis=1)
    return {
        "median_error_sum": points.sum(_error(points)),
        "nearest_sum": points.sum(order.T),
    }


def _metrics(cases: Cases) -> Arrays:
    if "median_error_sum" not in cases or not cases.has_members:
        return {}
    return {"median_error": cases.mean("median_error_sum")}


SCORE = Score(
    sums={
        "median_error_sum": Sum("weighted sum of the absolute error of the median"),
        "nearest_sum": Sum("the same of each member, nearest first", ("region", "nearest")),
    },
    points=_sums,
    metrics={"median_error": Metric("error of the median", "low", offered=True)},
    cases=_metrics,
    lengths={"nearest": lambda members: members},
    maps={"median_map": ("the absolute error of the median", _error)},
)
"""


@pytest.fixture
def one_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A new file in a folder of the package `statistics`."""
    asked = [value for value in vars(registry).values() if hasattr(value, "cache_clear")]
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "median_error.py").write_text(NEW)
    monkeypatch.setattr(statistics, "__path__", [*statistics.__path__, str(folder)])
    for function in asked:
        function.cache_clear()
    yield
    sys.modules.pop("stormdraw.scores.statistics.median_error", None)
    for function in asked:
        function.cache_clear()


@pytest.fixture
def members(random: np.random.Generator, grid: Grid) -> np.ndarray:
    """(member, lead, y, x), with a hole."""
    members = random.normal(12.0, 8.0, (5, 1, *grid.shape)).astype(np.float32)
    members[1, 0, 2, 3] = np.nan
    return members


@pytest.fixture
def truth(random: np.random.Generator, grid: Grid) -> np.ndarray:
    return random.normal(12.0, 8.0, (1, *grid.shape)).astype(np.float32)


@pytest.fixture
def paths(
    tmp_path: Path,
    members: np.ndarray,
    truth: np.ndarray,
    make_ensemble: Callable[..., xr.Dataset],
    write_fields: Callable[..., Path],
) -> dict[str, list[Path]]:
    """Files of scores of members, and of their mean and spread."""
    fields = write_fields("fields.nc", [INIT.replace(hour=7)], {"REFC": truth})
    content = {
        "trial": {"REFC": members},
        "href": {"REFC_mean": members.mean(axis=0), "REFC_spread": members.std(axis=0)},
    }
    paths = {}
    for name, arrays in content.items():
        ensemble = tmp_path / f"{name}.nc"
        make_ensemble(INIT, [1], arrays, system=name).to_netcdf(ensemble)
        paths[name] = [tmp_path / "scores" / name / "2026060806.nc"]
        score_case(ensemble, [fields], paths[name][0], 0, SCORES)
    return paths


@pytest.fixture
def summary(paths: dict[str, list[Path]]) -> pd.DataFrame:
    return summarise(paths, Scores(reference="href", neighbourhoods=[1, 3]), 0)


def run_settings() -> Settings:
    baselines = [
        {"name": name, "method": "baseline", "kind": "persistence"} for name in ("trial", "href")
    ]
    config = {
        "title": "one more score",
        "variables": ["REFC"],
        "periods": {
            "training": {"start": "2026-06-01T00:00", "end": "2026-06-07T23:00"},
            "test": {"start": "2026-06-08T06:00", "end": "2026-06-08T07:00"},
        },
        "leads": [1],
        "archive": {"source": ["aws"]},
        "ensembles": {"systems": baselines},
        "scores": {"reference": "href"},
    }
    return load_settings(config)


def test_a_new_file_is_a_new_score(
    one_more: None,
    paths: dict[str, list[Path]],
    summary: pd.DataFrame,
    members: np.ndarray,
    truth: np.ndarray,
) -> None:
    found = summary[summary["metric"] == "median_error"]
    weight = xr.load_dataset(paths["trial"][0])["weight_sum"]
    error = np.abs(np.median(members[:, 0].astype(float), axis=0) - truth[0])
    assert list(found["system"]) == ["trial"]
    assert np.nanmin(error) < found["value"].item() < np.nanmax(error)
    assert weight.item() < error.size
    with xr.open_dataset(paths["trial"][0]) as statistics_of_case:
        of_map = statistics_of_case["median_map_sum"].sel(variable="REFC")
        np.testing.assert_allclose(of_map, np.where(np.isnan(error), 0.0, error), rtol=1e-5)
    settings = run_settings()
    assert "error of the median" in [choice.label for choice in choices(summary, settings)]
    assert "error of the median" in evidence(summary, settings)[0].headings
    assert pooled_tables(paths)["REFC", "trial"]["nearest_sum"].shape == (5,)


def test_memory_estimates_include_a_new_score(request: pytest.FixtureRequest) -> None:
    settings = run_settings()
    before = case_bytes(settings, 5), summary_bytes(settings, [5, 5])
    request.getfixturevalue("one_more")
    assert case_bytes(settings, 5) > before[0]
    assert summary_bytes(settings, [5, 5]) > before[1]


def test_every_file_of_the_folder_is_a_score(root: Path) -> None:
    folder = root / "workflow_scripts" / "stormdraw" / "scores" / "statistics"
    names = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert set(registry.scores()) == names
    behind = modules_behind(root / "workflow_scripts" / "scores_summary.py")
    assert {f"stormdraw.scores.statistics.{name}" for name in names} <= behind


def test_every_metric_of_a_summary_says_how_it_is_read(summary: pd.DataFrame) -> None:
    values = {"threshold": {"10", "20"}, "width": {1.0, 3.0}, "probability": {0.1, 0.3, 0.5}}
    found = set(summary["metric"])
    # There is no wind here, a reference without members, and no report of a station.
    assert set(registry.metrics()) - found == {
        "energy_fair",
        "energy_standard",
        "crps_skill",
        "spread_error_ratio_with_observation_error",
    }
    assert found - set(registry.metrics()) == {"points"}
    for metric, rows in summary.groupby("metric"):
        how = registry.metrics().get(str(metric), Metric())
        for parameter in PARAMETERS:
            expected = values[parameter] if parameter in how.dims else set()
            assert set(rows[parameter].replace("", np.nan).dropna()) == expected, metric
        assert (rows["against"] == ("href" if how.kind == "skill" else "")).all(), metric


def test_no_two_scores_have_a_sum_of_the_same_name() -> None:
    names = [name for score in registry.scores().values() for name in score.sums]
    assert len(names) == len(set(names))
    assert set(MapSums(["REFC"], (2, 3)).maps()) == set(registry.map_sums())
