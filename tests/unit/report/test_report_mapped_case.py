from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from report_run import Run

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import read_states
from stormdraw.report.mapped import wanted_for_maps
from stormdraw.report.mapped_case import (
    MappedCase,
    Wanted,
    choose_case,
    extract_case,
    usable_cases,
)
from stormdraw.roles import Roles
from stormdraw.times import format_init, hours

T2M = Wanted("T2M", [1, 2, 3], 3, 296.0, ("T2M", "U10", "V10"))


def case_of(run: Run, system: str, wanted: Wanted, folder: Path) -> MappedCase:
    """The extract of the first case."""
    path = folder / f"{system}.nc"
    extract_case(system, run.ensembles[system][:1], run.truth, run.truth, wanted, path)
    return MappedCase(path)


def members_of(path: Path, name: str, lead: int) -> np.ndarray:
    with xr.open_dataset(path, decode_timedelta=False) as dataset:
        return dataset[name].sel(lead=lead).values


def test_the_case_with_most_storms_is_chosen(demo_run: Run) -> None:
    inits = demo_run.settings.initial_times()
    areas = {
        init: np.count_nonzero(state >= 30)
        for init in inits
        for _, state in read_states(demo_run.truth, ["REFC"], [init + hours(3)])
    }
    assert len(set(areas.values())) > 1
    chosen = choose_case(inits, 3, "REFC", demo_run.truth)
    assert areas[chosen] == max(areas.values())
    assert choose_case(inits, 3, "T2M", demo_run.truth) == inits[0]
    assert MappedCase(demo_run.maps["href"]).init == chosen
    assert MappedCase(demo_run.maps["href"]).cases == len(inits)


@pytest.mark.parametrize("attribute", ["absent_times", "incomplete_times"])
def test_a_case_that_cannot_be_started_is_not_shown(
    demo_run: Run, tmp_path: Path, attribute: str
) -> None:
    first, *others = demo_run.settings.initial_times()
    with xr.open_dataset(demo_run.truth[0]) as day:
        changed = day.load()
    changed.attrs[attribute] = format_init(first)
    changed.to_netcdf(tmp_path / "states.nc")
    states = [tmp_path / "states.nc", *demo_run.truth[1:]]
    inits = [first, *others]
    at_last = replace(T2M, leads=[3])
    assert usable_cases(inits, states, demo_run.truth, at_last) == others
    assert usable_cases(inits, demo_run.truth, demo_run.truth, at_last) == inits


@pytest.mark.parametrize(("lacking", "shown"), [("U10", False), ("REFC", True)])
def test_a_case_without_what_no_forecast_starts_from_is_shown(
    demo_run: Run, tmp_path: Path, lacking: str, shown: bool
) -> None:
    first, *others = demo_run.settings.initial_times()
    with xr.open_dataset(demo_run.truth[0]) as day:
        changed = day.load()
    changed[lacking].attrs["incomplete_times"] = format_init(first)
    changed.attrs["incomplete_times"] = format_init(first)
    for name in {"REFC", "T2M", "U10", "V10"} - {lacking}:
        changed[name].attrs["incomplete_times"] = ""
    changed.to_netcdf(tmp_path / "states.nc")
    states = [tmp_path / "states.nc", *demo_run.truth[1:]]
    at_last = replace(T2M, leads=[3])
    found = usable_cases([first, *others], states, demo_run.truth, at_last)
    assert found == ([first, *others] if shown else others)


def test_what_is_diagnosed_is_nothing_that_maps_wait_for(demo_run: Run) -> None:
    roles = Roles(predicted=("T2M",), diagnosed=("CAPE",), input=("D2M",))
    run = demo_run.settings.model_copy(update={"roles": roles})
    assert wanted_for_maps(run).initial == ("T2M", "D2M")


def test_a_case_whose_truth_lacks_the_variable_is_not_shown(demo_run: Run, tmp_path: Path) -> None:
    first, *others = demo_run.settings.initial_times()
    with xr.open_dataset(demo_run.truth[0]) as day:
        changed = day.load()
    changed["T2M"].loc[{"time": np.datetime64(first + hours(3), "ns")}] = np.nan
    changed.to_netcdf(tmp_path / "truth.nc")
    truth = [tmp_path / "truth.nc", *demo_run.truth[1:]]
    assert usable_cases([first, *others], demo_run.truth, truth, T2M) == others
    of_wind = replace(T2M, variable="U10")
    assert usable_cases([first, *others], demo_run.truth, truth, of_wind) == [first, *others]


def test_mean_and_share_are_those_of_all_members(demo_run: Run, tmp_path: Path) -> None:
    members = members_of(demo_run.ensembles["href"][0], "T2M", 2)
    block = case_of(demo_run, "href", T2M, tmp_path).block(2, count=2)
    assert block.note == "10 members"
    assert list(block.fields) == ["mean of 10", "hrrr_00h", "hrrr_01h"]
    np.testing.assert_allclose(block.fields["mean of 10"], members.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(block.fields["hrrr_01h"], members[1])
    share = 100.0 * (members >= 296.0).mean(axis=0)
    assert 0 < share.mean() < 100
    np.testing.assert_allclose(block.share, share, rtol=1e-6)


def test_the_share_may_be_of_at_most(demo_run: Run, tmp_path: Path) -> None:
    members = members_of(demo_run.ensembles["href"][0], "T2M", 2)
    share = case_of(demo_run, "href", replace(T2M, threshold="<=296"), tmp_path).block(2, 1).share
    np.testing.assert_allclose(share, 100.0 * (members <= 296.0).mean(axis=0), rtol=1e-6)


def test_no_more_members_are_there_than_were_taken(demo_run: Run, tmp_path: Path) -> None:
    assert len(case_of(demo_run, "href", T2M, tmp_path).block(2, count=50).fields) == 1 + 3


def test_the_truth_is_that_of_the_lead(demo_run: Run, tmp_path: Path) -> None:
    case = case_of(demo_run, "href", T2M, tmp_path)
    assert case.init == demo_run.settings.initial_times()[0]
    _, (truth,) = next(read_states(demo_run.truth, ["T2M"], [case.init + hours(2)]))
    np.testing.assert_array_equal(case.truth(2), truth)


def test_absent_members_are_skipped(demo_run: Run, tmp_path: Path) -> None:
    with xr.open_dataset(demo_run.ensembles["href"][0], decode_timedelta=False) as dataset:
        changed = dataset.load()
    changed["T2M"][0] = np.nan
    changed["T2M"][:, 2] = np.nan
    changed.to_netcdf(tmp_path / "ensemble.nc")
    run = replace(demo_run, ensembles={"href": [tmp_path / "ensemble.nc"]})
    case = case_of(run, "href", T2M, tmp_path)
    assert list(case.block(2, count=1).fields) == ["mean of 9", "hrrr_01h"]
    np.testing.assert_allclose(
        case.block(2, 1).share, 100.0 * (changed["T2M"].values[1:, 1] >= 296.0).mean(axis=0), 1e-6
    )
    assert case.block(3, count=1).fields == {}
    assert case.block(3, count=1).note == "href has no member of T2M at 3 h"


def test_one_member_has_neither_mean_nor_share(demo_run: Run, tmp_path: Path) -> None:
    block = case_of(demo_run, "persistence", T2M, tmp_path).block(1, count=4)
    assert list(block.fields) == ["member 0"]
    assert (block.note, block.share) == ("one member", None)


def test_a_system_known_by_mean_and_spread_shows_its_mean(demo_run: Run, tmp_path: Path) -> None:
    block = case_of(demo_run, "href_mean_spread", T2M, tmp_path).block(1, count=4)
    assert (list(block.fields), block.share) == (["mean"], None)
    storms = wanted_for_maps(demo_run.settings)
    block = case_of(demo_run, "href_mean_spread", storms, tmp_path).block(1, count=4)
    assert block.fields == {}
    assert block.note == "href_mean_spread has no REFC"


def test_a_missing_truth_is_named(demo_run: Run, tmp_path: Path) -> None:
    ensembles, truth = demo_run.ensembles["href"], demo_run.truth
    storms, output = wanted_for_maps(demo_run.settings), tmp_path / "out.nc"
    with pytest.raises(StormdrawError, match="2026-06-09 13 UTC"):
        extract_case("href", ensembles, truth, truth[:1], storms, output)
    assert not output.exists()
