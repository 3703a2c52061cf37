from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from stormdraw.grids import Grid
from stormdraw.scores.maps import mean_crps_maps
from stormdraw.scores.pooled import pooled_tables
from stormdraw.scores.settings import Scores


@pytest.fixture
def paths(
    score_cases: Callable[..., list[Path]],
    grid: Grid,
    random: np.random.Generator,
) -> list[Path]:
    """Two cases of five members, one of which is absent at a lead, with REFC and T2M."""

    def draw(*shape: int) -> dict[str, np.ndarray]:
        return {
            name: random.normal(15.0, 10.0, (*shape, *grid.shape)).astype(np.float32)
            for name in ("REFC", "T2M")
        }

    cases = [(draw(5, 2), draw(2)) for _ in range(2)]
    cases[1][0]["REFC"][4, 1] = np.nan
    return score_cases(cases, Scores(thresholds={"REFC": [10.0, 20.0]}))


def test_fields_of_one_size_are_summed(paths: list[Path]) -> None:
    pooled = pooled_tables({"trial": paths})
    refc = pooled["REFC", "trial"]
    assert (refc.attrs["members"], refc.attrs["fields"], refc.attrs["all_fields"]) == (5, 3, 4)
    assert pooled["T2M", "trial"].attrs["fields"] == 4
    np.testing.assert_array_equal(refc["event"], ["10", "20"])
    assert refc["probability_weight_sum"].shape == (2, 6)
    assert float(refc["probability_weight_sum"][0].sum()) == pytest.approx(
        float(refc["weight_sum"])
    )
    expected = np.zeros((2, 6))
    for path in paths:
        with xr.open_dataset(path) as case:
            block = case.sel(variable="REFC", region="domain")
            for lead in (1, 2):
                if int(block["members"].sel(lead=lead)) == 5:
                    expected += block["probability_event_sum"].sel(lead=lead).values
    np.testing.assert_allclose(refc["probability_event_sum"], expected)
    # Each case has a day of its own; the second one has only one lead of five members.
    daily = refc["daily_probability_event_sum"]
    assert daily.dims == ("day", "threshold", "exceeding")
    np.testing.assert_allclose(daily.sum("day"), expected)
    with xr.open_dataset(paths[1]) as case:
        alone = case["probability_event_sum"].sel(variable="REFC", region="domain", lead=1)
        np.testing.assert_allclose(daily[1], alone.values[:, :6])


def test_maps_are_means_over_cases_and_leads(paths: list[Path]) -> None:
    found = mean_crps_maps({"trial": paths}, "T2M")["trial"]
    maps = []
    for path in paths:
        with (
            xr.open_dataset(path.parents[2] / path.name) as ensemble,
            xr.open_dataset(path.parents[2] / "fields" / path.name) as fields,
        ):
            for lead in (1, 2):
                members = ensemble["T2M"].sel(lead=lead).values.astype(np.float64)
                valid = ensemble["init"].values + np.timedelta64(lead, "h")
                error = np.abs(members - fields["T2M"].sel(time=valid).values).mean(axis=0)
                apart = np.abs(members[:, None] - members[None]).sum(axis=(0, 1))
                maps.append(error - apart / (2 * 5 * 4))
    np.testing.assert_allclose(found, np.mean(maps, axis=0), rtol=1e-5)
    assert mean_crps_maps({"trial": paths}, "CAPE") == {}
    assert mean_crps_maps({"trial": []}, "T2M") == {}
