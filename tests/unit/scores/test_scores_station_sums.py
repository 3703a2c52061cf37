"""From forecasts and reports to tables, of two systems and two cases."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm
from station_files import stations_at, write_reports

from stormdraw.errors import StormdrawError
from stormdraw.fields.percentiles import Percentiles
from stormdraw.grids import Grid
from stormdraw.scores.settings import Scores
from stormdraw.scores.stations.by_place import PLACE_COLUMNS, by_place, read_by_place
from stormdraw.scores.stations.case import score_stations, station_thresholds
from stormdraw.scores.stations.held_out import held_out
from stormdraw.scores.stations.systems import StationSums, station_sums
from stormdraw.scores.stations.tables import station_summary
from stormdraw.scores.stations.values import NONE
from stormdraw.scores.summary import hourly_table, write_summary
from stormdraw.scores.threshold import Threshold

INITS = [datetime(2026, 6, 8, 6), datetime(2026, 6, 9, 18)]
LEADS = (1, 3)
SIZES = {"large": 6, "small": 3}
# Each station on a grid point; S03 is outside.
ROWS, COLUMNS = np.array([0, 1, 2, 9, 4]), np.array([0, 2, 5, 3, 6])
SCORES = Scores.model_validate(
    {
        "reference": "small",
        "thresholds": {"T2M": [280, "<=278"]},
        # No observation error: sums are then those of the members as they are.
        "stations": {"observation_error": {}, "held_out_share": 0.0},
    }
)


@pytest.fixture
def drawn(random: np.random.Generator, grid: Grid) -> dict[str, np.ndarray]:
    """T2M of each system (case, member, lead, y, x), and the reports (case, lead, station)."""
    shape = (len(INITS), len(LEADS))
    values = {
        name: random.normal(280.0, 2.0, (len(INITS), size, len(LEADS), *grid.shape))
        for name, size in SIZES.items()
    }
    # A member of `small` has no value where S01 lies, at the first lead of the first case.
    values["small"][0, 1, 0, 1, 2] = np.nan
    # One of `large` has none where S04 lies, at the first lead of the second case.
    values["large"][1, 2, 0, 4, 6] = np.nan
    reports = random.normal(280.0, 2.0, (*shape, len(ROWS)))
    # S02 reports nothing at the second lead of the second case.
    reports[1, 1, 2] = np.nan
    return {name: own.astype(np.float32) for name, own in (values | {"reports": reports}).items()}


@pytest.fixture
def paths(
    tmp_path: Path, grid: Grid, make_ensemble: Callable[..., xr.Dataset], drawn: dict
) -> dict[str, list[Path]]:
    stations = stations_at(grid, ROWS, COLUMNS)
    found: dict[str, list[Path]] = {name: [] for name in SIZES}
    for case, init in enumerate(INITS):
        values = {
            init + timedelta(hours=lead): {"T2M": drawn["reports"][case, index].astype(float)}
            for index, lead in enumerate(LEADS)
        }
        reports = write_reports(tmp_path / f"{init:%Y%m%d}.parquet", stations, values)
        for name in SIZES:
            ensemble = tmp_path / f"{name}_{init:%Y%m%d%H}.nc"
            fields = {"T2M": drawn[name][case]}
            make_ensemble(init, list(LEADS), fields, name).to_netcdf(ensemble, engine="netcdf4")
            output = tmp_path / "stations" / name / f"{init:%Y%m%d%H}.nc"
            output.parent.mkdir(parents=True, exist_ok=True)
            score_stations(
                ensemble, [reports], output, 1, LEADS, SCORES.stations, SCORES.thresholds
            )
            found[name].append(output)
    return found


@pytest.fixture
def sums(paths: dict[str, list[Path]]) -> StationSums:
    return station_sums(paths)


def pairs(drawn: dict, system: str, lead: int) -> list[tuple[int, int, np.ndarray, float]]:
    """Case, station, members and report of all that count for both systems at a lead."""
    found = []
    for case in range(len(INITS)):
        for station in (0, 1, 2, 4):
            at = ..., lead, ROWS[station], COLUMNS[station]
            members = {name: drawn[name][case][at] for name in SIZES}
            report = drawn["reports"][case, lead, station]
            if np.isfinite([report, *members["large"], *members["small"]]).all():
                found.append((case, station, members[system].astype(float), float(report)))
    return found


def fair_crps(members: np.ndarray, report: float) -> float:
    count = len(members)
    apart = np.abs(members[:, None] - members).sum() / (2 * count * (count - 1))
    return np.abs(members - report).mean() - apart


@pytest.mark.parametrize("system", SIZES)
@pytest.mark.parametrize("lead", [0, 1])
def test_scores_are_those_of_brute_force(
    drawn: dict, paths: dict[str, list[Path]], sums: StationSums, system: str, lead: int
) -> None:
    table = station_summary(paths, sums, SCORES, 1)
    found = table[(table["system"] == system) & (table["lead_hours"] == LEADS[lead])]
    found = found[found["against"] == ""]
    scores = found[found["threshold"] == ""].set_index("metric")["value"]
    counted = [(members, report) for _, _, members, report in pairs(drawn, system, lead)]
    errors = np.array([members.mean() - report for members, report in counted])
    size = SIZES[system]
    variance = np.mean([members.var(ddof=1) for members, _ in counted])
    expected = {
        "points": len(counted),
        "bias": errors.mean(),
        "rmse": np.sqrt(np.mean(errors**2)),
        "crps_fair": np.mean([fair_crps(*one) for one in counted]),
        "spread_error_ratio": np.sqrt((size + 1) / size * variance / np.mean(errors**2)),
    }
    ranks = np.bincount([(m < report).sum() for m, report in counted], minlength=size + 1)
    expected["rank_index"] = np.abs(ranks / len(counted) - 1 / (size + 1)).sum()
    for metric, value in expected.items():
        assert scores[metric] == pytest.approx(value, rel=1e-5), metric
    for threshold, reached in (("280", np.greater_equal), ("<=278", np.less_equal)):
        limit = float(threshold.removeprefix("<="))
        brier = np.mean([(reached(m, limit).mean() - reached(r, limit)) ** 2 for m, r in counted])
        of_event = found[found["threshold"] == threshold].set_index("metric")["value"]
        assert of_event["brier"] == pytest.approx(brier, rel=1e-6)
    assert set(found["stations"]) == {
        len({station for _, station, *_ in pairs(drawn, system, lead)})
    }
    # Scores of fields have no meaning at stations.
    assert not {name for name in scores.index if "fss" in name or "nep" in name}


@pytest.mark.parametrize("kind", ["members", "published"])
def test_events_beyond_a_percentile_are_those_at_each_station(
    tmp_path: Path, grid: Grid, make_ensemble: Callable[..., xr.Dataset], kind: str
) -> None:
    """Four stations on points with a percentile of 280, 281, 282 K and none; all report 281 K.

    All of four members reach 280 K, two reach 281 K and none reaches 282 K.
    """
    stations = stations_at(grid, [0, 1, 2, 3], [0, 1, 2, 3])
    reports = write_reports(
        tmp_path / "day.parquet", stations, {INITS[0] + timedelta(hours=1): {"T2M": [281.0] * 4}}
    )
    climatology = np.full(grid.shape, 300.0)
    climatology[[0, 1, 2, 3], [0, 1, 2, 3]] = [280.0, 281.0, 282.0, np.nan]
    xr.Dataset({"T2M_p90": (("y", "x"), climatology)}).to_netcdf(tmp_path / "percentiles.nc")
    values = np.array([280.5, 280.5, 281.5, 281.5], np.float32)
    fields = {"T2M": np.broadcast_to(values[:, None, None, None], (4, 1, *grid.shape))}
    if kind == "published":
        flat = np.ones((1, *grid.shape), np.float32)
        fields = {"T2M_mean": 281.0 * flat, "T2M_spread": 0.5 * flat}
    make_ensemble(INITS[0], [1], fields, kind).to_netcdf(tmp_path / "ensemble.nc")
    thresholds = {"T2M": [Threshold.parse("p90"), Threshold.parse("<=p90")]}
    output = tmp_path / f"{INITS[0]:%Y%m%d%H}.nc"
    how = tmp_path / "ensemble.nc", [reports], output, 1, [1], SCORES.stations, thresholds
    with pytest.raises(ValueError, match="T2M has the percentile 90, and no file of them"):
        score_stations(*how)
    found = score_stations(*how, percentiles=Percentiles(tmp_path / "percentiles.nc"))
    scored = found.sel(variable="T2M", lead=1)
    assert scored["event"].values.tolist() == [[1, 1, 0, NONE], [0, 1, 1, NONE]]
    if kind == "members":
        assert scored["probability_class"].values.tolist() == [[4, 2, 0, NONE], [0, 2, 4, NONE]]
    else:
        # The mean is two standard deviations above, at, and two below the percentile.
        at_least = np.array([norm.cdf(2.0), 0.5, norm.cdf(-2.0)])
        squared = [(at_least - [1, 1, 0]) ** 2, (1.0 - at_least - [0, 1, 1]) ** 2]
        np.testing.assert_allclose(scored["brier"][:, :3], squared, rtol=1e-6)
    table = station_summary({kind: [output]}, station_sums({kind: [output]}), SCORES, 1)
    brier = table[(table["metric"] == "brier") & (table["threshold"] == "p90")]["value"].item()
    # (0 + 1/4 + 0) / 3, or of the Gaussian's probabilities.
    expected = 0.25 / 3 if kind == "members" else np.mean(squared[0])
    assert brier == pytest.approx(expected, rel=1e-5)


def test_components_of_a_wind_have_no_percentiles_at_stations() -> None:
    given = {name: ["10", "p95"] for name in ("U10", "V10", "WIND10", "T2M")}
    parsed = {name: [Threshold.parse(one) for one in own] for name, own in given.items()}
    found = {name: [one.text for one in own] for name, own in station_thresholds(parsed).items()}
    assert found == given | {"U10": ["10"], "V10": ["10"]}


def test_a_report_that_one_system_lacks_counts_for_nobody(drawn: dict, sums: StationSums) -> None:
    # Of four stations on the grid, at each lead of each case.
    expected = [[3, 4], [3, 3]]
    for system in sums.systems.values():
        np.testing.assert_array_equal(system["points"].sel(variable="T2M"), expected)
    assert sums.dropped == {"S03": "outside the grid"}


def test_each_station_has_its_bias_and_skill(drawn: dict, sums: StationSums, grid: Grid) -> None:
    table = by_place(sums, SCORES)
    assert sorted(set(table["station"])) == ["S00", "S01", "S02", "S04"]
    for row in table.itertuples():
        of_station = {
            name: [
                (members, report)
                for lead in (0, 1)
                for _, station, members, report in pairs(drawn, name, lead)
                if f"S{station:02d}" == row.station
            ]
            for name in SIZES
        }
        own = of_station[row.system]
        crps = {name: np.mean([fair_crps(*one) for one in of]) for name, of in of_station.items()}
        assert row.reports == len(own)
        assert row.metric == "crps_fair"
        bias = np.mean([members.mean() - report for members, report in own])
        assert row.bias == pytest.approx(bias, abs=1e-5)
        assert row.skill == pytest.approx(1.0 - crps[row.system] / crps["small"], abs=1e-5)
    places = stations_at(grid, ROWS, COLUMNS).set_index("station")
    found = table.drop_duplicates("station").set_index("station")
    for name in ("latitude", "longitude"):
        np.testing.assert_allclose(found[name], places[name][found.index])


def test_a_stations_name_is_a_text_whatever_it_looks_like(
    sums: StationSums, tmp_path: Path
) -> None:
    table = by_place(sums, SCORES)
    names = {"S00": "0123", "S01": "72", "S02": "1e5", "S04": "10"}
    table["station"] = [names[name] for name in table["station"]]
    write_summary(table, tmp_path / "places.csv")
    again = read_by_place(tmp_path / "places.csv")
    assert again["station"].tolist() == table["station"].tolist()
    np.testing.assert_allclose(again["skill"], table["skill"], rtol=1e-8, atol=1e-8)


def test_hours_of_the_day_are_apart(drawn: dict, sums: StationSums) -> None:
    table = hourly_table(sums.systems, SCORES)
    chosen = table[(table["metric"] == "bias") & (table["system"] == "large")]
    by_valid = chosen[chosen["init_hour"].isna()].set_index("valid_hour")["value"]
    assert by_valid.index.tolist() == [7.0, 9.0, 19.0, 21.0]
    errors = [m.mean() - r for case, _, m, r in pairs(drawn, "large", 1) if case == 0]
    assert by_valid[9.0] == pytest.approx(np.mean(errors), rel=1e-5)


def test_held_out_stations_have_rows_of_their_own(paths: dict[str, list[Path]]) -> None:
    share = next(
        share
        for share in np.arange(0.05, 1.0, 0.05)
        if 0 < sum(held_out(name, share) for name in ("S00", "S02", "S04")) < 3
    )
    stations = SCORES.stations.model_copy(update={"held_out_share": float(share)})
    scores = SCORES.model_copy(update={"stations": stations})
    table = station_summary(paths, station_sums(paths), scores, 1)
    reports = table[(table["metric"] == "points") & (table["system"] == "large")]
    expected = sum(held_out(name, share) for name in ("S00", "S01", "S02", "S04"))
    assert reports.groupby("which")["stations"].max().to_dict() == {"all": 4, "held_out": expected}


def test_a_case_that_one_system_lacks_is_an_error(paths: dict[str, list[Path]]) -> None:
    with pytest.raises(StormdrawError, match="small: not scored at stations at 2026060918"):
        station_sums(paths | {"small": paths["small"][:1]})


@pytest.mark.parametrize("dim", ["station", "lead"])
def test_other_stations_or_leads_of_a_case_are_an_error(
    paths: dict[str, list[Path]], dim: str
) -> None:
    with xr.open_dataset(paths["small"][0], decode_timedelta=False) as dataset:
        fewer = dataset.isel({dim: slice(1, None)}).load()
    fewer.to_netcdf(paths["small"][0])
    with pytest.raises(StormdrawError, match=f"its {dim}s are not those of"):
        station_sums(paths)


def test_a_case_without_any_forecast_counts_for_nobody(
    tmp_path: Path,
    grid: Grid,
    make_ensemble: Callable[..., xr.Dataset],
    paths: dict[str, list[Path]],
) -> None:
    nothing = np.full((3, 2, *grid.shape), np.nan, np.float32)
    ensemble = tmp_path / "nothing.nc"
    dataset = make_ensemble(INITS[0], list(LEADS), {"T2M": nothing}, "small")
    dataset.assign_attrs(missing="no initial state").to_netcdf(ensemble, engine="netcdf4")
    reports = tmp_path / f"{INITS[0]:%Y%m%d}.parquet"
    score_stations(
        ensemble, [reports], paths["small"][0], 1, LEADS, SCORES.stations, SCORES.thresholds
    )
    sums = station_sums(paths)
    for system in sums.systems.values():
        np.testing.assert_array_equal(system["points"].sel(variable="T2M"), [[0, 0], [3, 3]])
    table = station_summary(paths, sums, SCORES, 1)
    assert np.isfinite(table[table["metric"] == "crps_fair"]["value"]).all()


def test_only_what_stations_report_is_scored(
    tmp_path: Path, grid: Grid, make_ensemble: Callable[..., xr.Dataset]
) -> None:
    stations = stations_at(grid, [1, 2], [3, 4])
    winds = {
        "U10": np.array([3.0, np.nan]),
        "V10": np.array([4.0, 1.0]),
        "WIND10": np.array([5.0, np.nan]),
    }
    reports = write_reports(
        tmp_path / "day.parquet", stations, {INITS[0] + timedelta(hours=1): winds}
    )
    calm = {
        name: np.full((2, 1, *grid.shape), 4.0, np.float32) for name in ("U10", "V10", "WIND10")
    }
    ensemble = tmp_path / "ensemble.nc"
    make_ensemble(INITS[0], [1], calm | {"T2M": 280 + calm["U10"]}).to_netcdf(ensemble)
    scored = score_stations(
        ensemble, [reports], tmp_path / "out.nc", 1, [1], SCORES.stations, SCORES.thresholds
    )
    # Nobody reports T2M.
    assert scored["variable"].values.tolist() == ["U10", "V10", "WIND10"]
    np.testing.assert_allclose(scored["error"].sel(variable="WIND10"), [[-1.0, np.nan]], atol=1e-6)
    with xr.open_dataset(tmp_path / "out.nc") as written:
        assert written.attrs["system"] == "trial"


def test_a_published_spread_is_compared_by_the_crps_of_gaussians(
    tmp_path: Path,
    grid: Grid,
    make_ensemble: Callable[..., xr.Dataset],
    paths: dict[str, list[Path]],
    drawn: dict,
) -> None:
    """Nobody says of how many members it is, so that it has no fair CRPS of any kind."""
    found = []
    for case, init in enumerate(INITS):
        members = np.nan_to_num(drawn["small"][case], nan=280.0)
        fields = {"T2M_mean": members.mean(axis=0), "T2M_spread": members.std(axis=0, ddof=1)}
        ensemble = tmp_path / f"published_{init:%Y%m%d%H}.nc"
        make_ensemble(init, list(LEADS), fields, "published").to_netcdf(ensemble, engine="netcdf4")
        found.append(tmp_path / "stations" / "published" / f"{init:%Y%m%d%H}.nc")
        found[-1].parent.mkdir(exist_ok=True)
        reports = tmp_path / f"{init:%Y%m%d}.parquet"
        score_stations(ensemble, [reports], found[-1], 1, LEADS, SCORES.stations, SCORES.thresholds)
    sums = station_sums(paths | {"published": found})
    table = by_place(sums, SCORES)
    published = table[table["system"] == "published"].set_index("station")
    assert set(published["metric"]) == {"crps_gaussian"}
    # Of S02 all three reports count: one is missing, and the other system has all members there.
    expected = []
    for case, lead in ((0, 0), (0, 1), (1, 0)):
        members = drawn["small"][case][:, lead, ROWS[2], COLUMNS[2]].astype(float)
        z = (drawn["reports"][case, lead, 2] - members.mean()) / members.std(ddof=1)
        # Gneiting et al. 2005, eq. 5.
        integral = z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi)
        expected.append(members.std(ddof=1) * integral)
    assert published.loc["S02", "crps"] == pytest.approx(np.mean(expected), rel=1e-5)


def test_an_empty_table_of_places_has_its_columns(paths: dict[str, list[Path]]) -> None:
    table = by_place(station_sums(paths, lambda name: False), SCORES)
    assert tuple(table.columns) == PLACE_COLUMNS
    assert len(table) == 0
