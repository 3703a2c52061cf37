"""All systems are compared on the points that no reference or baseline lacks."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.scores.case import score_case
from stormdraw.scores.comparison import load_systems
from stormdraw.scores.maps import mean_crps_maps
from stormdraw.scores.missing import missing_data
from stormdraw.scores.points import CommonPoints, write_points
from stormdraw.scores.pooled import pooled_tables
from stormdraw.scores.settings import Scores
from stormdraw.scores.summary import summarise

INITS = [datetime(2026, 6, 8, 6), datetime(2026, 6, 8, 12)]
LEADS = [1, 2]


class Run:
    """Two cases of T2M at two leads; systems of four members, or what a test makes of these."""

    def __init__(self, folder: Path, make: Callable, truth: Path) -> None:
        self.folder, self.make, self.truth = folder, make, truth
        self.scores: dict[str, list[Path]] = {}

    def draw(self, name: str, case: int, members: np.ndarray, leads: list[int] = LEADS) -> None:
        path = self.folder / "ensembles" / name / f"{case}.nc"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.make(INITS[case], leads, {"T2M": members}, system=name).to_netcdf(path)

    def score(self, references: list[str], drawn: list[str]) -> None:
        for case in range(len(INITS)):
            own = {n: self.folder / "ensembles" / n / f"{case}.nc" for n in references + drawn}
            points = self.folder / "points" / f"{case}.nc"
            write_points([own[name] for name in references], LEADS, points)
            for name, ensemble in own.items():
                output = self.folder / "scores" / name / f"{case}.nc"
                score_case(ensemble, [self.truth], output, 0, None, CommonPoints(points))
                self.scores.setdefault(name, []).append(output)

    def values(self, metric: str) -> pd.Series:
        """By system and lead."""
        table = summarise(self.scores, Scores(), 0)
        return table[table["metric"] == metric].set_index(["system", "lead_hours"])["value"]


@pytest.fixture
def run(
    tmp_path: Path,
    make_ensemble: Callable,
    write_fields: Callable[..., Path],
    grid: Grid,
    random: np.random.Generator,
) -> Run:
    times = [datetime(2026, 6, 8, hour) for hour in (7, 8, 13, 14)]
    fields = random.normal(290, 1, (4, *grid.shape)).astype(np.float32)
    return Run(tmp_path, make_ensemble, write_fields("20260608.nc", times, {"T2M": fields}))


@pytest.fixture
def members(grid: Grid, random: np.random.Generator) -> np.ndarray:
    return random.normal(290, 1, (4, 2, *grid.shape)).astype(np.float32)


def test_without_gaps_common_points_change_no_score(
    tmp_path: Path,
    make_ensemble: Callable,
    write_fields: Callable[..., Path],
    grid: Grid,
    random: np.random.Generator,
) -> None:
    shape = (4, 2, *grid.shape)
    fields = {"REFC": np.maximum(random.normal(9, 20, shape), -10.0).astype(np.float32)}
    fields |= {name: random.normal(5, 3, shape).astype(np.float32) for name in ("U10", "V10")}
    fields["WIND10"] = np.hypot(fields["U10"], fields["V10"])
    make_ensemble(INITS[0], LEADS, fields).to_netcdf(tmp_path / "trial.nc")
    times = [datetime(2026, 6, 8, hour) for hour in (7, 8)]
    given = {name: fields[name][2] for name in ("REFC", "U10", "V10")}
    truth = write_fields("20260608.nc", times, given)
    write_points([tmp_path / "trial.nc"], LEADS, tmp_path / "points.nc")
    ensemble, output = tmp_path / "trial.nc", tmp_path / "scores.nc"
    alone, compared = (
        score_case(ensemble, [truth], output, 0, None, points).drop_attrs()
        for points in (None, CommonPoints(tmp_path / "points.nc"))
    )
    xr.testing.assert_identical(compared, alone)


def test_points_that_a_reference_lacks_are_left_out_for_all_systems(
    run: Run, members: np.ndarray
) -> None:
    holed, absent = members.copy(), members.copy()
    holed[1, 0, 2, 3] = np.nan
    holed[2, 1] = np.nan  # an absent member, which costs no point
    absent[:, 1] = np.nan  # an absent lead
    for case in (0, 1):
        run.draw("holed", case, holed)
        run.draw("absent", case, absent)
        run.draw("short", case, members[:, :1], [1])  # a file without the lead altogether
        run.draw("model", case, members)
    run.score(["holed", "absent", "short"], ["model"])
    for system in load_systems(run.scores).values():
        np.testing.assert_array_equal(system["points"].values[:, 0], [[34, 0], [34, 0]])
    fair = run.values("crps_fair")
    assert np.isfinite(fair[:, 1]).all()
    assert fair[:, 2].isna().all()
    missing = missing_data(run.scores)
    told = missing[missing["init"] == "2026060806"].set_index(["system", "lead_hours"])
    assert set(told.index) == {("holed", 1), ("holed", 2), ("absent", 2), ("short", 2)}
    assert told.loc[("short", 2), "absent_members"] == 4
    assert told.loc[("holed", 1), "missing_points"] == 1
    assert told.loc[("holed", 2), "absent_members"] == 1
    assert told.loc[("absent", 2), "absent_members"] == 4
    assert told.loc[("absent", 2), "points"] == 0


@pytest.mark.parametrize("gap", [(slice(None), 1), (0, 1, 2, 3)])
@pytest.mark.parametrize("references", [["href"], []])
def test_a_field_in_which_a_drawn_ensemble_lacks_a_point_is_left_out_for_all(
    run: Run, members: np.ndarray, gap: tuple, references: list[str]
) -> None:
    """Of the first case at 2 h: the scores there are those of the second case alone."""
    lacking = members.copy()
    lacking[gap] = np.nan
    for name in ("href", "model", "other"):
        for case in (0, 1):
            run.draw(name, case, lacking if (name, case) == ("model", 0) else members)
    run.score(references, [name for name in ("href", "model", "other") if name not in references])
    for system in load_systems(run.scores).values():
        np.testing.assert_array_equal(system["points"].values[:, 0], [[35, 0], [35, 35]])
    whole = run.values("crps_fair")
    run.scores = {name: paths[1:] for name, paths in run.scores.items()}
    alone = run.values("crps_fair")
    for name in ("href", "model", "other"):
        assert whole[name, 2] == alone[name, 2]
        assert whole[name, 1] != alone[name, 1]


def test_gaps_of_a_drawn_ensemble_are_listed_and_in_no_diagram(
    run: Run, members: np.ndarray
) -> None:
    lacking = members.copy()
    lacking[1, 1, 2, 3] = np.nan
    for case in (0, 1):
        run.draw("href", case, members)
        run.draw("model", case, members if case else lacking)
    run.score(["href"], ["model"])
    row = missing_data(run.scores).iloc[0]
    assert row[["system", "lead_hours", "missing_points", "points"]].tolist() == ["model", 2, 1, 0]
    pooled = pooled_tables(run.scores)
    assert [pooled["T2M", name].attrs["fields"] for name in ("href", "model")] == [3, 3]
    maps = mean_crps_maps(run.scores, "T2M")
    second = mean_crps_maps({name: paths[1:] for name, paths in run.scores.items()}, "T2M")
    for name in ("href", "model"):
        np.testing.assert_array_equal(maps[name], second[name])


def test_an_empty_reference_is_an_error_unless_hours_may_be_absent(
    run: Run, members: np.ndarray, tmp_path: Path
) -> None:
    run.draw("href", 0, np.full_like(members, np.nan))
    path, output = tmp_path / "ensembles" / "href" / "0.nc", tmp_path / "points.nc"
    with pytest.raises(
        StormdrawError, match=r"href/0\.nc: T2M: the members are finite at no point"
    ):
        write_points([path], LEADS, output)
    assert not output.exists()
    write_points([path], LEADS, output, may_be_missing=True)
    assert not CommonPoints(output).at("T2M", 1).any()


def test_an_empty_drawn_ensemble_is_an_error_unless_the_reference_is_empty_too(
    run: Run, members: np.ndarray, tmp_path: Path
) -> None:
    nothing = np.full_like(members, np.nan)
    run.draw("model", 0, nothing)
    run.draw("href", 0, members)
    run.draw("none", 0, nothing)
    folder = tmp_path / "ensembles"
    for reference in ("href", "none"):
        points = tmp_path / f"{reference}.nc"
        write_points([folder / reference / "0.nc"], LEADS, points, may_be_missing=True)
    against = [folder / "model" / "0.nc", [run.truth], tmp_path / "out.nc", 0, None]
    with pytest.raises(
        StormdrawError, match=r"model/0\.nc: T2M at init 2026060806: truth and members"
    ):
        score_case(*against, CommonPoints(tmp_path / "href.nc"))
    assert not score_case(*against, CommonPoints(tmp_path / "none.nc"))["points"].any()


def test_equal_points_give_equal_small_files(tmp_path: Path) -> None:
    """Below a megabyte, Snakemake looks at what a file holds before it does anything again."""
    rows, columns = np.mgrid[: HRRR.shape[0], : HRRR.shape[1]]
    # A domain that is turned a little, as another projection's is on this grid.
    inside = (rows + columns / 9 > 120) & (rows - columns / 7 < 900) & (columns > rows / 8)
    field = np.where(inside, np.float32(290), np.float32(np.nan))
    dataset = xr.Dataset(
        {"T2M": (("member", "lead", "y", "x"), np.broadcast_to(field, (1, 3, *field.shape)))},
        coords={"lead": [1, 2, 3], "init": np.datetime64(INITS[0], "ns")},
        attrs={"system": "href", "method": "reference"},
    )
    dataset.to_netcdf(tmp_path / "href.nc")
    for name in ("one.nc", "two.nc"):
        write_points([tmp_path / "href.nc"], [1, 2, 3], tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.nc", "two.nc"))
    assert one == two
    assert len(one) < 100_000
    np.testing.assert_array_equal(CommonPoints(tmp_path / "one.nc").at("T2M", 3), inside)
