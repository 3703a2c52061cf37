"""Skill over time: hand-worked sums of four cases on nine days."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from small_experiment import CONFIG

from stormdraw.forecasts.configuration import verified_configuration
from stormdraw.report.figure import Files, figures, figures_of
from stormdraw.report.figures.rolling_skill import draw, rolling_skills
from stormdraw.report.style import read_label
from stormdraw.settings import load_settings

INITS = np.array(["2026-06-01T00", "2026-06-02T00", "2026-06-08T00", "2026-06-09T00"], "M8[ns]")


def system(*crps: float, lacking: int | None = None) -> xr.Dataset:
    """Sums of fair CRPS of one variable at one lead; each case has weight 2, or none if lacking."""
    weights = np.full(4, 2.0)
    if lacking is not None:
        weights[lacking] = 0.0

    def of_cases(values: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        return ("init", "variable", "lead"), np.asarray(values).reshape(4, 1, 1)

    sums = np.array(crps) * weights
    return xr.Dataset(
        {
            "weight_sum": of_cases(weights),
            "points": of_cases(weights),
            "members": of_cases(np.full(4, 5)),
            "crps_fair_sum": of_cases(sums),
            "crps_standard_sum": of_cases(sums),
            "crps_gaussian_sum": of_cases(sums),
        },
        coords={"init": INITS, "variable": ["T2M"], "lead": [1]},
    )


def test_a_case_counts_for_seven_days() -> None:
    systems = {"ours": system(1, 2, 3, 4), "refs": system(2, 2, 2, 8)}
    (skill,) = rolling_skills(systems, "T2M", "refs").values()
    # The first case is seven days old on the 8th, and the second on the 9th: no longer counted.
    expected = [1 - 1 / 2, 1 - 3 / 4, 1 - 5 / 4, 1 - 7 / 10]
    np.testing.assert_allclose(skill, expected, rtol=1e-12)
    np.testing.assert_array_equal(skill["init"], INITS)


def test_days_without_a_case_of_both_have_no_skill() -> None:
    systems = {"ours": system(1, 2, 3, 4, lacking=0), "refs": system(2, 2, 2, 8, lacking=0)}
    (skill,) = rolling_skills(systems, "T2M", "refs").values()
    np.testing.assert_allclose(skill, [np.nan, 0.0, 1 - 5 / 4, 1 - 7 / 10], rtol=1e-12)


@pytest.mark.usefixtures("calibrated")
def test_only_verified_forecasts_have_it_and_it_says_without_a_reference_why_not(
    tmp_path: Path,
) -> None:
    made = verified_configuration({**CONFIG, "cycle": [2026060206]})
    assert "rolling_skill" in figures_of(load_settings(made))
    assert "training_curves" not in figures_of(load_settings(made))
    assert "rolling_skill" not in figures_of(load_settings(CONFIG))
    made["scores"].pop("reference")
    draw(load_settings(made), Files(), tmp_path / "a.svg")
    label = read_label(tmp_path / "a.svg")
    assert label.gap
    assert "There is no reference" in label.description
    assert figures()["rolling_skill"].over_time
