"""The calibration dial, where the right factor is known."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from stormdraw.ensembles.calibration import (
    FACTORS,
    SpreadTally,
    choose,
    read_factors,
    tally_case,
    write_choice,
)
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.spread import scale_spread
from stormdraw.errors import StormdrawError
from stormdraw.fields.packing import packing_of
from stormdraw.grids import HRRR
from stormdraw.times import hours

START = datetime(2026, 6, 1)
STATE = ["T2M", "U10", "V10"]
GRID = HRRR.crop(slice(480, 485), slice(880, 886))


def tallied(spread: float, name: str = "T2M", mean: float = 290.0, members: int = 8) -> SpreadTally:
    """Truth of unit variance about the centre; members of `spread` about the same centre."""
    random = np.random.default_rng(2)
    centre = mean + random.normal(size=(200, 200))
    tally = SpreadTally([name], [1], members)
    tally.add(
        0,
        0,
        centre + spread * random.normal(size=(members, 200, 200)),
        centre + random.normal(size=(200, 200)),
    )
    return tally


# The mean of M members has an error of its own: E[error^2] = 1 + s^2 / M, so that the factor f with
# (M + 1) / M f^2 s^2 = 1 + s^2 / M is right: 1 for s = 1.
@pytest.mark.parametrize("spread", [0.4, 0.5, 1.0, 1.6])
def test_the_factor_that_theory_says(spread: float) -> None:
    chosen = choose(tallied(spread))["T2M"][1]
    right = np.sqrt((1 + spread**2 / 8) / (9 / 8 * spread**2))
    assert chosen["factor"] == pytest.approx(right, abs=0.05)
    assert chosen["ratio_before"] == pytest.approx(1 / right, rel=0.02)
    assert chosen["ratio_after"] == pytest.approx(1.0, abs=0.05)


def test_nothing_is_moved_where_the_ratio_is_unknown() -> None:
    tally = SpreadTally(["CAPE"], [1], 4)
    tally.add(0, 0, np.zeros((4, 3, 3)), np.zeros((3, 3)))
    assert choose(tally)["CAPE"][1] == {"factor": 1.0, "ratio_before": None, "ratio_after": None}


def test_missing_points_do_not_count() -> None:
    whole, holed = SpreadTally(["T2M"], [1], 3), SpreadTally(["T2M"], [1], 3)
    random = np.random.default_rng(0)
    members, truth = 280 + random.normal(size=(3, 4, 5)), 280 + random.normal(size=(4, 5))
    whole.add(0, 0, members[:, 1:], truth[1:])
    truth[0] = np.nan
    holed.add(0, 0, members, truth)
    np.testing.assert_allclose(holed.ratios(), whole.ratios())


def test_bounds_are_kept_in_mind() -> None:
    """Where members touch the floor, clipping takes spread away: the factor has to be larger."""
    free, floored = tallied(0.5), tallied(0.5, "CAPE", mean=0.0)
    index = int(np.flatnonzero(FACTORS == 2.0)[0])
    assert floored.variance[0, 0, index] < 0.8 * free.variance[0, 0, index]


def write_ensemble(path: Path, case: Case, values: np.ndarray) -> None:
    """values (member, lead, variable, y, x)"""
    with ensemble_file(path, GRID, case, range(len(values)), {}, {"model": "small"}) as put:
        for k, leads in enumerate(values):
            for j, state in enumerate(leads):
                put(k, j, state)


def test_members_move_about_their_mean_and_stay_within_bounds(tmp_path: Path) -> None:
    variables = ["T2M", "D2M", "U10", "V10", "CAPE"]
    case = Case("small", "diffusion", START, [1, 2], variables)
    centre = np.array([290.0, 289.0, 3.0, 4.0, 10.0], dtype=np.float32)
    values = np.broadcast_to(
        centre[:, None, None] + np.array([-1.0, 0.0, 1.0])[:, None, None, None, None],
        (3, 2, 5, *GRID.shape),
    ).astype(np.float32)
    write_ensemble(tmp_path / "drawn.nc", case, values)
    right = {"T2M": 2.0, "D2M": 4.0, "U10": 0.5, "CAPE": 30.0}
    factors = {name: {1: 1.0, 2: factor} for name, factor in right.items()}
    scale_spread(tmp_path / "drawn.nc", factors, case, tmp_path / "out.nc", {})
    with xr.open_dataset(tmp_path / "out.nc") as dataset:
        at = {name: dataset[name].values[:, 1, 2, 3].tolist() for name in [*variables, "WIND10"]}
        assert dataset["T2M"].values[:, 0, 2, 3].tolist() == [289.0, 290.0, 291.0]
        assert dataset.attrs["spread_factor_T2M"].tolist() == [1.0, 2.0]
        assert "spread_factor_V10" not in dataset.attrs
        assert dataset.attrs["model"] == "small"
    assert at["T2M"] == [288.0, 290.0, 292.0]
    assert at["D2M"] == [285.0, 289.0, 292.0]  # 293 but for the temperature
    assert at["U10"] == [2.5, 3.0, 3.5]
    assert at["V10"] == [3.0, 4.0, 5.0]  # no factor
    assert at["CAPE"] == [0.0, 10.0, 40.0]  # -20 but for the floor
    half_a_step = packing_of("WIND10").step / 2
    np.testing.assert_allclose(at["WIND10"], np.hypot(at["U10"], at["V10"]), atol=half_a_step)


class Analyses:
    """States (variable, y, x) that tell their hour."""

    def read(self, time: datetime) -> np.ndarray:
        hour = (time - START) / hours(1)
        return np.stack([np.full(GRID.shape, 0.1 * hour + start) for start in (280.0, 1.0, -2.0)])


def test_a_case_is_compared_with_its_valid_times(tmp_path: Path) -> None:
    case = Case("small", "diffusion", START + hours(22), [1, 3], STATE)
    truth = np.array([Analyses().read(case.init + hours(lead)) for lead in (1, 3)])
    values = np.stack([truth + 1.0, truth + 3.0])  # an error of 2, a variance of 2
    write_ensemble(tmp_path / "e.nc", case, values)
    tally = SpreadTally(STATE, case.leads, 2)
    tally_case(tally, tmp_path / "e.nc", Analyses(), case.init)
    right = np.sqrt(3 / 2 * 2 / 4)
    np.testing.assert_allclose(tally.ratios()[..., FACTORS == 1.0], right, rtol=1e-4)
    half = SpreadTally(STATE, case.leads, 2)
    tally_case(half, tmp_path / "e.nc", Analyses(), case.init, {case.init + hours(3)})
    np.testing.assert_array_equal(half.error[:, 0], tally.error[:, 0])
    assert (half.error[:, 1] == 0).all()
    with pytest.raises(StormdrawError, match="one member, which has no spread to calibrate"):
        tally_case(SpreadTally(STATE, case.leads, 4), tmp_path / "e.nc", Analyses(), case.init)


def test_a_choice_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    write_choice(path, "small", 8, [START], choose(tallied(0.5)))
    assert read_factors(path) == {"T2M": {1: choose(tallied(0.5))["T2M"][1]["factor"]}}
    for other in ("{}", '{"variables": {"T2M": {"factor": 1.5}}}'):
        path.write_text(other)
        with pytest.raises(StormdrawError, match="not a calibration that can be read"):
            read_factors(path)


def test_each_lead_has_its_own_factor() -> None:
    random = np.random.default_rng(4)
    centre = 290.0 + random.normal(size=(200, 200))
    tally = SpreadTally(["T2M"], [1, 3], 8)
    for number, spread in enumerate((1.0, 0.5)):
        members = centre + spread * random.normal(size=(8, 200, 200))
        tally.add(0, number, members, centre + random.normal(size=(200, 200)))
    chosen = choose(tally)["T2M"]
    assert chosen[1]["factor"] == 1.0
    assert chosen[3]["factor"] == choose(tallied(0.5))["T2M"][1]["factor"]


def test_a_lead_that_was_not_calibrated(tmp_path: Path) -> None:
    case = Case("small", "diffusion", START, [1, 2], STATE)
    write_ensemble(tmp_path / "drawn.nc", case, np.ones((2, 2, 3, *GRID.shape)))
    with pytest.raises(StormdrawError, match="no factor for T2M at 2 h"):
        scale_spread(tmp_path / "drawn.nc", {"T2M": {1: 2.0}}, case, tmp_path / "out.nc", {})
    assert not (tmp_path / "out.nc").exists()
