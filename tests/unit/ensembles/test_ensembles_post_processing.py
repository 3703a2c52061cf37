"""Pairs of validation cases, what is fitted to them, and calibrated cases."""

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import scoringrules
import xarray as xr
from storm_world import storm_world
from taken import to_make

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.copula import couple, moments
from stormdraw.ensembles.emos import Coefficients, fit
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.marginals import Marginal
from stormdraw.ensembles.post_processing import (
    fit_pairs,
    read_coefficients,
    write_calibrated,
    write_pairs,
)
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.times import hours
from stormdraw.variables import variable

START = datetime(2026, 6, 2)
GRID = HRRR.crop(slice(480, 520), slice(880, 920))
STATE = ["REFC", "T2M", "D2M"]
LEADS = (1, 3)
WORLD = storm_world(cases=3, members=6, leads=LEADS, size=40, temperature_noise=0.5)


def state(fields: dict[str, np.ndarray], *index) -> np.ndarray:
    """REFC, T2M and D2M, which is half a degree below it, (variable, y, x)."""
    echo, temperature = (fields[name][index] for name in ("REFC", "T2M"))
    return np.stack([echo, temperature, temperature - 0.5])


def init_of(number: int) -> datetime:
    return START + hours(24 * number)


def case_of(number: int, variables=STATE, leads=LEADS) -> Case:
    return Case("better", "calibrated", init_of(number), leads, variables)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw ensembles `raw0.nc` to `raw2.nc` of the storm world, and its truth `truth0.nc` to 2."""
    folder = tmp_path_factory.mktemp("storms")
    for number in range(3):
        init = init_of(number)
        case = Case("raw", "diffusion", init, LEADS, STATE)
        with ensemble_file(folder / f"raw{number}.nc", GRID, case, range(6), {}) as put:
            for k, j in np.ndindex(6, len(LEADS)):
                put(k, j, state(WORLD.members, number, k, j))
        times = xr.DataArray(
            [np.datetime64(init + hours(lead), "ns") for lead in LEADS],
            dims="time",
            attrs={"standard_name": "time"},
        )
        to = (folder / f"truth{number}.nc", GRID, {"time": times}, {name: name for name in STATE})
        with written_in_parts(*to, {}) as file:
            for j in range(len(LEADS)):
                for name, field in zip(STATE, state(WORLD.truth, number, j), strict=True):
                    file[name][j] = field
    return folder


def paired(folder: Path, to: Path, *numbers: int) -> list[Path]:
    paths = [to / f"pairs{number}.nc" for number in numbers]
    for number, path in zip(numbers, paths, strict=True):
        truth = [folder / f"truth{number}.nc"]
        write_pairs(folder / f"raw{number}.nc", truth, case_of(number), path)
    return paths


def test_coefficients_are_those_of_all_cases_at_leads_that_are_near(
    folder: Path, tmp_path: Path
) -> None:
    fit_pairs("better", paired(folder, tmp_path, 0, 1), ["one", "two"], tmp_path / "fitted.json")
    found = read_coefficients(tmp_path / "fitted.json")
    raw, truth = WORLD.members["T2M"][:2].astype(float), WORLD.truth["T2M"][:2].astype(float)
    mean, variance, _ = moments(np.moveaxis(raw, 1, 0))
    right = fit(Marginal(variable("T2M")), mean.ravel(), variance.ravel(), truth.ravel())
    # The pairs are in single precision.
    for lead in LEADS:
        own = found["T2M"][lead]
        assert own.b == pytest.approx(right.b, abs=1e-3)
        assert own.a + 290 * own.b == pytest.approx(right.a + 290 * right.b, abs=1e-2)
    content = json.loads((tmp_path / "fitted.json").read_text())
    first = content["variables"]["T2M"]["leads"]["1"]
    assert (first["cases"], first["points"], first["fitted_with_leads"]) == (2, 3200, [1, 3])
    ordered = np.moveaxis(raw[:, :, 0], 1, -1)
    fair = scoringrules.crps_ensemble(truth[:, 0], ordered, estimator="fair").mean()
    assert first["crps_raw"] == pytest.approx(fair, rel=1e-4)
    assert first["crps_fitted"] < fair
    assert content["variables"]["REFC"]["distribution"] == "censored_logistic"


def test_many_cases_are_enough_for_each_lead(folder: Path, tmp_path: Path) -> None:
    paths = 5 * paired(folder, tmp_path, 0, 1, 2)
    fit_pairs("better", paths, 15 * ["a day"], tmp_path / "fitted.json")
    content = json.loads((tmp_path / "fitted.json").read_text())
    assert content["variables"]["T2M"]["leads"]["3"]["fitted_with_leads"] == [3]
    found = read_coefficients(tmp_path / "fitted.json")["T2M"]
    # The variance of the temperature is the lead.
    assert found[3].c / found[1].c > 2.0


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_points_and_times_that_are_missing_say_nothing(folder: Path, tmp_path: Path) -> None:
    with xr.open_dataset(folder / "truth0.nc") as dataset:
        holed = dataset.load()
    holed["T2M"][0] = np.nan
    holed.to_netcdf(tmp_path / "holed.nc")
    write_pairs(folder / "raw0.nc", [tmp_path / "holed.nc"], case_of(0), tmp_path / "pairs.nc")
    pairs = xr.load_dataset(tmp_path / "pairs.nc")["pairs"]
    assert np.isnan(pairs.sel(variable="T2M", lead=1)).all()
    assert np.isfinite(pairs.sel(variable="T2M", lead=3)).all()
    assert np.isfinite(pairs.sel(variable="REFC")).all()
    late = holed.isel(time=[0]).assign_attrs(absent_times="2026060203")
    late.to_netcdf(tmp_path / "late.nc")
    write_pairs(folder / "raw0.nc", [tmp_path / "late.nc"], case_of(0), tmp_path / "pairs.nc")
    assert np.isnan(xr.load_dataset(tmp_path / "pairs.nc")["pairs"].sel(lead=3)).all()
    fit_pairs("better", [tmp_path / "pairs.nc"], ["one"], tmp_path / "fitted.json")
    found = read_coefficients(tmp_path / "fitted.json")
    assert found["T2M"] == {1: None, 3: None}
    assert found["REFC"][1] is not None
    lacking = tmp_path / "lacking.nc"
    made = to_calibrate(case_of(1), lacking, folder / "raw1.nc", tmp_path / "fitted.json")
    with pytest.raises(StormdrawError, match="T2M at 1 h: no validation case has a value"):
        write_calibrated(made, STATE)
    assert not lacking.exists()


def test_a_point_with_a_single_member_says_nothing(tmp_path: Path, folder: Path) -> None:
    case = Case("raw", "reference", START, LEADS, STATE)
    with ensemble_file(tmp_path / "raw.nc", GRID, case, ["a", "b"], {}) as put:
        for k, j in np.ndindex(2, 2):
            fields = state(WORLD.members, 0, k, j)
            if k == 1:
                fields[:, 0] = np.nan
            put(k, j, fields)
    write_pairs(tmp_path / "raw.nc", [folder / "truth0.nc"], case_of(0), tmp_path / "pairs.nc")
    pairs = xr.load_dataset(tmp_path / "pairs.nc")["pairs"].values.reshape(4, 3, 2, *GRID.shape)
    assert np.isnan(pairs[..., 0, :]).all()
    assert np.isfinite(pairs[..., 1:, :]).all()


def test_leads_that_are_far_apart_are_not_fitted_together(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    pairs = xr.Dataset(
        {
            "pairs": (
                ("quantity", "variable", "lead", "point"),
                random.gamma(2.0, size=(4, 1, 4, 9)),
            )
        },
        coords={"variable": ["T2M"], "lead": [1, 3, 4, 9]},
    )
    pairs.to_netcdf(tmp_path / "pairs.nc")
    fit_pairs("better", [tmp_path / "pairs.nc"], ["one"], tmp_path / "fitted.json")
    leads = json.loads((tmp_path / "fitted.json").read_text())["variables"]["T2M"]["leads"]
    together = {lead: found["fitted_with_leads"] for lead, found in leads.items()}
    assert together == {"1": [1, 3], "3": [1, 3, 4], "4": [3, 4], "9": [9]}


def test_no_pair_at_all_is_an_error(tmp_path: Path) -> None:
    nothing = xr.Dataset(
        {"pairs": (("quantity", "variable", "lead", "point"), np.full((4, 1, 1, 5), np.nan))},
        coords={"variable": ["T2M"], "lead": [1]},
    )
    nothing.to_netcdf(tmp_path / "pairs.nc")
    with pytest.raises(StormdrawError, match=r"better: none of its validation cases \(one\) has"):
        fit_pairs("better", [tmp_path / "pairs.nc"], ["one"], tmp_path / "fitted.json")
    assert not (tmp_path / "fitted.json").exists()


def to_calibrate(case: Case, output: Path, ensemble: Path, coefficients: Path):
    made = to_make(case, output, ensembles=[ensemble], coefficients=coefficients)
    made.settings["seed"] = 3
    return made


def write_coefficients(path: Path, fitted: dict[str, Coefficients], leads=LEADS) -> None:
    rows = {
        name: {"leads": {lead: {"coefficients": vars(own)} for lead in leads}}
        for name, own in fitted.items()
    }
    path.write_text(json.dumps({"variables": rows}))


FITTED = {
    "REFC": Coefficients(2.0, 0.9, 3.0, 1.2),
    "T2M": Coefficients(1.0, 1.0, 0.2, 1.5),
    # Well above the temperature.
    "D2M": Coefficients(3.0, 1.0, 0.2, 1.5),
}


@pytest.mark.parametrize("at_once", [3_000_000, 6 * 40 * 7])
def test_a_calibrated_case_is_that_of_whole_fields(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("stormdraw.ensembles.post_processing._AT_ONCE", at_once)
    write_coefficients(tmp_path / "fitted.json", FITTED)
    output = tmp_path / "out.nc"
    made = to_calibrate(case_of(2), output, folder / "raw2.nc", tmp_path / "fitted.json")
    write_calibrated(made, STATE)
    raw = {name: WORLD.members[name][2] for name in ("REFC", "T2M")}
    with xr.open_dataset(output) as dataset:
        assert dataset.attrs["system"] == "better"
        assert dataset["member"].values.tolist() == list(range(6))
        for j in range(len(LEADS)):
            given = (Marginal(variable("T2M")), FITTED["T2M"], np.arange(6))
            right = couple(raw["T2M"][:, j], *given)
            np.testing.assert_allclose(dataset["T2M"][:, j], right, atol=2e-3)
            np.testing.assert_array_equal(dataset["D2M"][:, j], dataset["T2M"][:, j])
            echo = dataset["REFC"].values[:, j]
            assert echo.min() == -10.0
            before = raw["REFC"][0, j] - raw["REFC"][5, j]
            assert not (before * (echo[0] - echo[5]) < 0).any()
            # The order of those without an echo is one of members, drawn by the seed.
            given = (Marginal(variable("REFC")), FITTED["REFC"], np.arange(6))
            other = np.sort(couple(raw["REFC"][:, j], *given), axis=0)
            np.testing.assert_allclose(np.sort(echo, axis=0), other, atol=2e-3)


def test_rows_that_are_calibrated_apart_are_those_of_the_whole_field(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members at the floor are ranked by what is around a point, in other rows too."""
    write_coefficients(tmp_path / "fitted.json", FITTED)
    given = (folder / "raw2.nc", tmp_path / "fitted.json")
    case, whole, parts = case_of(2, ["REFC"]), tmp_path / "whole.nc", tmp_path / "parts.nc"
    write_calibrated(to_calibrate(case, whole, *given), ["REFC"])
    # Less than a row.
    monkeypatch.setattr("stormdraw.ensembles.post_processing._AT_ONCE", 1)
    write_calibrated(to_calibrate(case, parts, *given), ["REFC"])
    with xr.open_dataset(whole) as one, xr.open_dataset(parts) as other:
        # A step of the packing, where rounding differs.
        np.testing.assert_allclose(other["REFC"], one["REFC"], atol=2e-3)


def test_variables_that_are_not_chosen_stay_as_they_are(folder: Path, tmp_path: Path) -> None:
    write_coefficients(tmp_path / "fitted.json", FITTED)
    given = (folder / "raw1.nc", tmp_path / "fitted.json")
    write_calibrated(to_calibrate(case_of(1), tmp_path / "all.nc", *given), STATE)
    write_calibrated(to_calibrate(case_of(1), tmp_path / "out.nc", *given), ["T2M"])
    with (
        xr.open_dataset(tmp_path / "out.nc") as dataset,
        xr.open_dataset(tmp_path / "all.nc") as whole,
        xr.open_dataset(folder / "raw1.nc") as raw,
    ):
        np.testing.assert_array_equal(dataset["T2M"], whole["T2M"])
        # Half of the step that it is packed with.
        np.testing.assert_allclose(dataset["REFC"], raw["REFC"], atol=1e-3)
        assert float(np.abs(whole["REFC"] - raw["REFC"]).max()) > 1.0
        assert bool((dataset["D2M"] <= dataset["T2M"]).all())


def test_what_the_raw_case_lacks_the_calibrated_one_lacks(folder: Path, tmp_path: Path) -> None:
    case = Case("raw", "reference", START, LEADS, STATE)
    with ensemble_file(
        tmp_path / "raw.nc",
        GRID,
        case,
        ["a", "b", "c"],
        {},
        {"absent_members": "b", "missing": "no 3 h"},
    ) as put:
        for k, j in np.ndindex(3, 2):
            put(k, j, state(WORLD.members, 0, k, j) * (np.nan if k == 1 or j == 1 else 1.0))
    fitted = {name: FITTED[name] for name in STATE}
    write_coefficients(tmp_path / "fitted.json", fitted)
    content = json.loads((tmp_path / "fitted.json").read_text())
    content["variables"]["REFC"]["leads"]["3"]["coefficients"] = None
    (tmp_path / "fitted.json").write_text(json.dumps(content))
    output = tmp_path / "out.nc"
    made = to_calibrate(case_of(0), output, tmp_path / "raw.nc", tmp_path / "fitted.json")
    write_calibrated(made, STATE)
    with xr.open_dataset(output) as dataset:
        assert dataset.attrs["absent_members"] == "b"
        assert dataset.attrs["missing"] == "no 3 h"
        assert dataset["member"].values.tolist() == ["a", "b", "c"]
        for name in STATE:
            there = np.isfinite(dataset[name].values).all(axis=(2, 3))
            assert there.tolist() == [[True, False], [False, False], [True, False]]


def test_coefficients_that_cannot_be_used(folder: Path, tmp_path: Path) -> None:
    path, output = tmp_path / "fitted.json", tmp_path / "out.nc"
    wrong = '{"variables": {"T2M": {"leads": {"1": {"coefficients": 1}}}}}'
    for text in (None, "{", "{}", "[1]", '{"variables": []}', wrong):
        if text is not None:
            path.write_text(text)
        with pytest.raises(StormdrawError, match="no coefficients that can be read; delete it"):
            read_coefficients(path)
    write_coefficients(path, {"REFC": FITTED["REFC"], "T2M": FITTED["T2M"]}, leads=(1,))
    for variables, lacking in ((STATE[:2], "REFC at 3 h"), (["D2M"], "D2M at 1 h")):
        case = case_of(0, variables)
        with pytest.raises(StormdrawError, match=f"has no coefficients of {lacking}; delete it"):
            write_calibrated(to_calibrate(case, output, folder / "raw0.nc", path), STATE)
    assert not output.exists()
