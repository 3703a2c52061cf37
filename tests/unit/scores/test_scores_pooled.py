from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from stormdraw.grids import Grid
from stormdraw.scores.case import score_case
from stormdraw.scores.maps import mean_crps_maps
from stormdraw.scores.pooled import pooled_tables
from stormdraw.scores.settings import Scores

INITS = [datetime(2026, 6, 8, 6), datetime(2026, 6, 9, 12)]


@pytest.fixture
def paths(
    tmp_path: Path,
    make_ensemble: Callable[..., xr.Dataset],
    write_fields: Callable[..., Path],
    grid: Grid,
    random: np.random.Generator,
) -> list[Path]:
    """Two cases of five members, one of which is absent at a lead, with REFC and T2M."""
    times = [init + timedelta(hours=lead) for init in INITS for lead in (1, 2)]
    fields = {
        name: random.normal(15.0, 10.0, (4, *grid.shape)).astype(np.float32)
        for name in ("REFC", "T2M")
    }
    truth = write_fields("fields.nc", times, fields)
    written = []
    for init in INITS:
        members = {
            name: random.normal(15.0, 10.0, (5, 2, *grid.shape)).astype(np.float32)
            for name in fields
        }
        if init == INITS[1]:
            members["REFC"][4, 1] = np.nan
        path = tmp_path / f"{init:%Y%m%d%H}.nc"
        make_ensemble(init, [1, 2], members).to_netcdf(path)
        output = tmp_path / "scores" / "trial" / path.name
        score_case(path, [truth], output, 0, Scores(thresholds={"REFC": [10.0, 20.0]}))
        written.append(output)
    return written


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
            xr.open_dataset(path.parents[2] / "fields" / "fields.nc") as fields,
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
